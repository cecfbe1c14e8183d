"""Reads that do not wait for each other, on threads that the process keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
T = TypeVar("T")

THREADS = 16
"""Calls under way at once; calls started from here must not start calls themselves."""


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="parallel")


def start(call: Callable[[], T]) -> Future[T]:
    """Start a call on another thread; its `result()` returns or raises what the call did."""
    return _pool().submit(call)


def both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Make two calls at once and return both results; raises what the first of them to fail raised."""
    other = start(second)
    try:
        return first(), other.result()
    finally:
        other.cancel()


def three(first: Callable[[], A], second: Callable[[], B], third: Callable[[], C]) -> tuple[A, B, C]:
    """Make three calls at once and return their results; raises what the first of them to fail raised."""
    others = start(second), start(third)
    try:
        return first(), others[0].result(), others[1].result()
    finally:
        for other in others:
            other.cancel()


def each(call: Callable[[A], B], arguments: Iterable[A]) -> list[B]:
    """Call once for each argument, at once, and return the results in the arguments' order."""
    ready = list(arguments)
    if len(ready) < 2:
        return [call(argument) for argument in ready]
    return list(_pool().map(call, ready))
