"""The correlation id of the present request, queue message or event: log lines and outbox records have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

_correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)


@contextmanager
def scope(correlation_id: str | None) -> Iterator[None]:
    """Use a correlation id inside; None for work that no request has caused."""
    token = _correlation_id.set(correlation_id)
    try:
        yield
    finally:
        _correlation_id.reset(token)


def present() -> str | None:
    """Return the present correlation id; None outside of `scope`."""
    return _correlation_id.get()


def carried(call: Callable[[A], B]) -> Callable[[A], B]:
    """Return a function that makes a call on another thread, with the present correlation id."""
    correlation_id = _correlation_id.get()

    def make(argument: A) -> B:
        with scope(correlation_id):
            return call(argument)

    return make
