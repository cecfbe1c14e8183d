"""Measures the stages of a request, for the request's log line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_stages: ContextVar[dict[str, float] | None] = ContextVar("stages", default=None)


@contextmanager
def recording() -> Iterator[dict[str, float]]:
    """Collect the durations of the stages inside: name to milliseconds, summed if a stage runs more than once."""
    collected: dict[str, float] = {}
    token = _stages.set(collected)
    try:
        yield collected
    finally:
        _stages.reset(token)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Measure the duration of one stage; does nothing outside of `recording`."""
    collected = _stages.get()
    if collected is None:
        yield
        return
    start = time.perf_counter()
    try:
        yield
    finally:
        collected[name] = round(collected.get(name, 0.0) + (time.perf_counter() - start) * 1000, 2)
