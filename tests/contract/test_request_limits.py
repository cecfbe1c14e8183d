"""Every request accepts a value at its limit and refuses the one beyond it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from contract.requests import Request
from contract.routes import ROUTES

Case = tuple[type[Request], str, Any, Any]
"""A model, one of its fields, a value at a limit, and the next value beyond it."""


def _parts(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    return kind.types if isinstance(kind, inspect.UnionType) else (kind,)


def _values(kind: inspect.Type) -> Iterator[tuple[Any, Any]]:
    """Yield pairs of the value at a limit of a type and the value beyond it."""
    for part in _parts(kind):
        if isinstance(part, inspect.StrType) and part.max_length:
            start = "https://a" if part.pattern and part.pattern.startswith("^https") else ""
            filled = start + "a" * (part.max_length - len(start))
            yield filled, filled + "a"
        if isinstance(part, inspect.ListType):
            item = next((at for at, _ in _values(part.item_type)), "a")
            if part.max_length:
                yield [item] * part.max_length, [item] * (part.max_length + 1)
            yield from (([at], [beyond]) for at, beyond in _values(part.item_type))
        if isinstance(part, inspect.IntType | inspect.FloatType):
            if part.ge is not None:
                yield part.ge, part.ge - 1
            if part.le is not None:
                yield part.le, part.le + 1


def _cases() -> Iterator[Case]:
    for model in dict.fromkeys(route.request for route in ROUTES):
        for field in msgspec.structs.fields(model):
            for at, beyond in _values(inspect.type_info(field.type)):
                yield model, field.name, at, beyond


def _accepts(model: type[Request], field: str, value: Any) -> bool:
    """Whether a model accepts a value in a field; other fields may be missing."""
    try:
        msgspec.convert({field: value}, model)
    except msgspec.ValidationError as error:
        return f"`$.{field}" not in str(error)
    return True


CASES = list(_cases())


@pytest.mark.parametrize(("model", "field", "at", "beyond"), CASES, ids=lambda value: getattr(value, "__name__", None))
def test_request_accepts_the_limit_and_refuses_the_next_value(
    model: type[Request], field: str, at: Any, beyond: Any
) -> None:
    assert _accepts(model, field, at)
    assert not _accepts(model, field, beyond)


def test_most_requests_have_limits() -> None:
    assert len(CASES) > 60
