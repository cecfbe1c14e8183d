"""Concurrent calls on the threads of one pool per process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from handlers.core.shared import correlation

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
T = TypeVar("T")

THREADS = 16
"""Most concurrent calls. A call must not start others: with all threads in use they would wait for each other."""


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="parallel")


def _make(call: Callable[[], T]) -> T:
    return call()


def start(call: Callable[[], T]) -> Future[T]:
    """Start a call on another thread; `result()` returns its result or raises its error."""
    return _pool().submit(correlation.carried(_make), call)


def both(first: Callable[[], A], second: Callable[[], B]) -> tuple[A, B]:
    """Make two calls concurrently and return both results; raises the error of the first call that failed."""
    future = start(second)
    try:
        return first(), future.result()
    finally:
        future.cancel()


def three(first: Callable[[], A], second: Callable[[], B], third: Callable[[], C]) -> tuple[A, B, C]:
    """Make three calls concurrently and return their results; raises the error of the first call that failed."""
    futures = start(second), start(third)
    try:
        return first(), futures[0].result(), futures[1].result()
    finally:
        for future in futures:
            future.cancel()


def each(call: Callable[[A], B], arguments: Iterable[A]) -> list[B]:
    """Call once for each argument, concurrently, and return the results in the order of the arguments."""
    values = list(arguments)
    if len(values) < 2:
        return [call(value) for value in values]
    return list(_pool().map(correlation.carried(call), values))
