"""Constraints of a service model's shapes: types, required members, lengths, ranges, patterns, enumerations."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
}


def violations(shape: Any, value: Any, path: str) -> list[str]:
    """What is wrong with a value; unknown members are passed over, as AWS does.

    Args:
        shape: a shape of botocore's model.
        value: decoded JSON.
        path: where the value stands; empty for the whole input.
    """
    if not _is_of_type(shape.type_name, value):
        return [f"'{path}' must be a {shape.type_name}"]
    if shape.type_name == "structure":
        return _structure(shape, value, path)
    problems = _range(shape, value, path)
    if shape.type_name == "list":
        for index, item in enumerate(value, start=1):
            problems += violations(shape.member, item, f"{path}.{index}.member")
    if shape.type_name == "string":
        problems += _text(shape, value, path)
    return problems


def _is_of_type(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES.get(name, object))


def _structure(shape: Any, value: dict[str, Any], path: str) -> list[str]:
    problems = []
    for name, member in shape.members.items():
        at = f"{path}.{_lower_first(name)}" if path else _lower_first(name)
        if value.get(name) is not None:
            problems += violations(member, value[name], at)
        elif name in shape.required_members:
            problems.append(f"Value null at '{at}' failed to satisfy constraint: Member must not be null")
    return problems


def _range(shape: Any, value: Any, path: str) -> list[str]:
    sized = shape.type_name in ("string", "list", "map")
    amount, noun = (len(value), "have length") if sized else (value, "have value")
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    failed = f"Value at '{path}' failed to satisfy constraint: Member must {noun}"
    problems = []
    if low is not None and amount < low:
        problems.append(f"{failed} greater than or equal to {low}")
    if high is not None and amount > high:
        problems.append(f"{failed} less than or equal to {high}")
    return problems


def _text(shape: Any, value: str, path: str) -> list[str]:
    problems = []
    if shape.enum and value not in shape.enum:
        problems.append(
            f"Value '{value}' at '{path}' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        )
    pattern = shape.metadata.get("pattern")
    if pattern is not None and not _compiled(pattern).fullmatch(value):
        # The value itself stays out of the message: identifiers of users are marked sensitive in the model.
        problems.append(
            f"Value at '{path}' failed to satisfy constraint: Member must satisfy regular expression pattern: {pattern}"
        )
    return problems


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _lower_first(name: str) -> str:
    return name[:1].lower() + name[1:]
