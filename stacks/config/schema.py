"""Parses a TOML table into frozen dataclasses and reports all of its errors at once.

A section is a frozen dataclass whose fields are declared with `setting` or `section`. The same declarations produce
the values, the error messages and the reference of all fields.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass
from typing import Any, Final

_VALIDATOR: Final = "validator"
_DOC: Final = "doc"
Section = typing.TypeVar("Section")


@dataclass(frozen=True)
class Validator:
    """The values that a field accepts.

    Args:
        allowed: the accepted values, described for error messages.
        accepts: decides whether a value is accepted.
        convert: makes an accepted value hashable.
    """

    allowed: str
    accepts: Callable[[Any], bool]
    convert: Callable[[Any], Any] = lambda value: value


def integer(lowest: int, highest: int, unit: str = "") -> Validator:
    """Accept integers from `lowest` to `highest`; `unit` appears only in messages."""
    allowed = f"an integer from {lowest} to {highest}" + (f" ({unit})" if unit else "")
    return Validator(allowed, lambda value: type(value) is int and lowest <= value <= highest)


def boolean() -> Validator:
    """Accept true and false."""
    return Validator("true or false", lambda value: isinstance(value, bool))


def choice(*values: str | int) -> Validator:
    """Accept one of the given values."""
    allowed = "one of " + ", ".join(quoted(value) for value in values)
    return Validator(allowed, lambda value: type(value) in (str, int) and value in values)


def string(pattern: str, allowed: str) -> Validator:
    """Accept strings that match the whole pattern; `allowed` describes them."""
    compiled = re.compile(pattern)
    return Validator(allowed, lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None)


def string_list(pattern: str, allowed: str, *, at_least: int = 0) -> Validator:
    """Accept lists of different strings that match the whole pattern; `allowed` describes one of them."""
    compiled = re.compile(pattern)

    def accepts(value: Any) -> bool:
        return (
            isinstance(value, list)
            and len(value) >= at_least
            and all(isinstance(item, str) and compiled.fullmatch(item) for item in value)
            and len(set(value)) == len(value)
        )

    minimum = f"{at_least} or more " if at_least else ""
    return Validator(f"a list of {minimum}different {allowed}", accepts, tuple)


def setting(doc: str, validator: Validator, *, default: Any = MISSING) -> Any:
    """Declare a field of a section; a field without a default is required."""
    return dataclasses.field(default=default, metadata={_DOC: doc, _VALIDATOR: validator})


def section(doc: str, *, default: Any = MISSING) -> Any:
    """Declare a field that is a section; a section with a default is optional."""
    return dataclasses.field(default=default, metadata={_DOC: doc})


def parse(kind: type[Section], table: Mapping[str, Any], errors: list[str], path: str = "") -> Section | None:
    """Create a section from a TOML table.

    Args:
        kind: the dataclass of the section.
        table: the TOML table.
        errors: receives one line for each error, with the field, its value and the allowed values.
        path: dotted name of the section within the file.

    Returns:
        The section, or None if it has an error.
    """
    before = len(errors)
    known = {field.name: (field, inner) for field, inner in _fields(kind)}
    for name in table:
        if name not in known:
            errors.append(_unknown(f"{path}{name}", table[name], list(known)))
    values: dict[str, Any] = {}
    for name, (field, inner) in known.items():
        if name not in table:
            if field.default is MISSING:
                errors.append(f"{path}{name} is missing: must be {_allowed(field)}")
            continue
        values[name] = _value(field, inner, table[name], errors, f"{path}{name}")
    return kind(**values) if len(errors) == before else None


def describe(kind: type[Any], path: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Yield the dotted name, allowed values, default and meaning of every field, including those of sections."""
    for field, inner in _fields(kind):
        name = f"{path}{field.name}"
        if inner is not None:
            optional = "optional section" if field.default is not MISSING else "section"
            yield name, optional, "", field.metadata[_DOC]
            yield from describe(inner, f"{name}.")
        else:
            yield name, field.metadata[_VALIDATOR].allowed, _default(field), field.metadata[_DOC]


def _fields(kind: type[Any]) -> Iterator[tuple[dataclasses.Field[Any], type[Any] | None]]:
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        candidates = [hints[field.name], *typing.get_args(hints[field.name])]
        inner = next((hint for hint in candidates if dataclasses.is_dataclass(hint)), None)
        yield field, typing.cast("type[Any] | None", inner)


def _value(field: dataclasses.Field[Any], inner: type[Any] | None, value: Any, errors: list[str], path: str) -> Any:
    if inner is not None:
        if isinstance(value, dict):
            return parse(inner, value, errors, f"{path}.")
        errors.append(f"{path} = {quoted(value)}: must be a section [{path}]")
        return None
    validator: Validator = field.metadata[_VALIDATOR]
    if not validator.accepts(value):
        errors.append(f"{path} = {quoted(value)}: must be {validator.allowed}")
        return None
    return validator.convert(value)


def _unknown(path: str, value: Any, known: list[str]) -> str:
    close = difflib.get_close_matches(path.rpartition(".")[2], known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known fields: {', '.join(known)}"
    return f"{path} = {quoted(value)}: unknown field; {hint}"


def _allowed(field: dataclasses.Field[Any]) -> str:
    validator: Validator | None = field.metadata.get(_VALIDATOR)
    return validator.allowed if validator else "a section"


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is MISSING:
        return "required"
    return "none" if field.default in (None, ()) else quoted(field.default)


def quoted(value: Any) -> str:
    """Return a value in TOML notation."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
