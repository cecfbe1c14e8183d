"""Reads a TOML table into frozen dataclasses and reports everything that is wrong with it at once.

A section is a frozen dataclass whose fields are made with `setting` or `section`; the same declarations produce the
values, the error messages and the reference of all fields.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass
from typing import Any, Final

_RULE: Final = "rule"
_DOC: Final = "doc"
Section = typing.TypeVar("Section")


@dataclass(frozen=True)
class Rule:
    """What a field accepts: `allowed` says it in words, `accepts` decides, `convert` makes the value hashable."""

    allowed: str
    accepts: Callable[[Any], bool]
    convert: Callable[[Any], Any] = lambda value: value


def whole(lowest: int, highest: int, unit: str = "") -> Rule:
    """Accept whole numbers from `lowest` to `highest`; `unit` is only named in messages."""
    allowed = f"a whole number from {lowest} to {highest}" + (f" ({unit})" if unit else "")
    return Rule(allowed, lambda value: type(value) is int and lowest <= value <= highest)


def boolean() -> Rule:
    """Accept true and false."""
    return Rule("true or false", lambda value: isinstance(value, bool))


def choice(*values: str | int) -> Rule:
    """Accept one of the given values."""
    allowed = "one of " + ", ".join(quoted(value) for value in values)
    return Rule(allowed, lambda value: type(value) in (str, int) and value in values)


def text(pattern: str, allowed: str) -> Rule:
    """Accept strings that match the whole pattern; `allowed` says in words which those are."""
    compiled = re.compile(pattern)
    return Rule(allowed, lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None)


def texts(pattern: str, allowed: str, *, at_least: int = 0) -> Rule:
    """Accept lists of different strings that match the whole pattern."""
    compiled = re.compile(pattern)

    def accepts(value: Any) -> bool:
        return (
            isinstance(value, list)
            and len(value) >= at_least
            and all(isinstance(item, str) and compiled.fullmatch(item) for item in value)
            and len(set(value)) == len(value)
        )

    minimum = f"at least {at_least} of " if at_least else ""
    return Rule(f"a list of {minimum}different {allowed}", accepts, tuple)


def setting(doc: str, rule: Rule, *, default: Any = MISSING) -> Any:
    """Declare a field of a section; without a default it must stand in the file."""
    return dataclasses.field(default=default, metadata={_DOC: doc, _RULE: rule})


def section(doc: str, *, default: Any = MISSING) -> Any:
    """Declare a field that is a section of its own, or with default None one that may be left out."""
    return dataclasses.field(default=default, metadata={_DOC: doc})


def read(kind: type[Section], table: Mapping[str, Any], problems: list[str], path: str = "") -> Section | None:
    """Make a section from a TOML table.

    Args:
        kind: the dataclass of the section.
        table: what stands in the file.
        problems: receives one sentence for each thing that is wrong, each naming field, value and what is allowed.
        path: dotted name of the section within the file.

    Returns:
        The section, or None where something in it was wrong.
    """
    before = len(problems)
    known = {field.name: (field, inner) for field, inner in _fields(kind)}
    for name in table:
        if name not in known:
            problems.append(_unknown(f"{path}{name}", table[name], list(known)))
    values: dict[str, Any] = {}
    for name, (field, inner) in known.items():
        if name not in table:
            if field.default is MISSING:
                problems.append(f"{path}{name} is missing: {_allowed(field)}")
            continue
        values[name] = _value(field, inner, table[name], problems, f"{path}{name}")
    return kind(**values) if len(problems) == before else None


def describe(kind: type[Any], path: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Yield field, allowed values, default and meaning of every field, sections opened up."""
    for field, inner in _fields(kind):
        name = f"{path}{field.name}"
        if inner is not None:
            optional = "optional section" if field.default is not MISSING else "section"
            yield name, optional, "", field.metadata[_DOC]
            yield from describe(inner, f"{name}.")
        else:
            yield name, field.metadata[_RULE].allowed, _default(field), field.metadata[_DOC]


def _fields(kind: type[Any]) -> Iterator[tuple[dataclasses.Field[Any], type[Any] | None]]:
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        candidates = [hints[field.name], *typing.get_args(hints[field.name])]
        inner = next((hint for hint in candidates if dataclasses.is_dataclass(hint)), None)
        yield field, typing.cast("type[Any] | None", inner)


def _value(field: dataclasses.Field[Any], inner: type[Any] | None, value: Any, problems: list[str], path: str) -> Any:
    if inner is not None:
        if isinstance(value, dict):
            return read(inner, value, problems, f"{path}.")
        problems.append(f"{path} = {quoted(value)}: must be a section [{path}]")
        return None
    rule: Rule = field.metadata[_RULE]
    if not rule.accepts(value):
        problems.append(f"{path} = {quoted(value)}: must be {rule.allowed}")
        return None
    return rule.convert(value)


def _unknown(path: str, value: Any, known: list[str]) -> str:
    close = difflib.get_close_matches(path.rpartition(".")[2], known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
    return f"{path} = {quoted(value)}: unknown field; {hint}"


def _allowed(field: dataclasses.Field[Any]) -> str:
    rule: Rule | None = field.metadata.get(_RULE)
    return rule.allowed if rule else "a section"


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is MISSING:
        return "required"
    return "none" if field.default in (None, ()) else quoted(field.default)


def quoted(value: Any) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
