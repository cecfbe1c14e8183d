"""The time at which Lambda ends the present invocation, so that waiting and repeating stop before it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")

_ends_at: ContextVar[float | None] = ContextVar("ends_at", default=None)


@contextmanager
def invocation(context: Any) -> Iterator[None]:
    """Remember when the invocation ends.

    Args:
        context: Lambda's context; None outside of Lambda, where nothing ends it.
    """
    ends_at = None if context is None else time.monotonic() + context.get_remaining_time_in_millis() / 1000
    token = _ends_at.set(ends_at)
    try:
        yield
    finally:
        _ends_at.reset(token)


def carried(call: Callable[[A], B]) -> Callable[[A], B]:
    """Return a function that makes a call on another thread, with the end of the present invocation."""
    ends_at = _ends_at.get()

    def make(argument: A) -> B:
        token = _ends_at.set(ends_at)
        try:
            return call(argument)
        finally:
            _ends_at.reset(token)

    return make


def remaining_seconds() -> float:
    """Return the seconds until the present invocation ends; infinite outside of one. Negative after its end."""
    ends_at = _ends_at.get()
    return float("inf") if ends_at is None else ends_at - time.monotonic()
