"""Runs operations of a test at the same time, on a clock that runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

from handlers.adapters.system import SystemClock
from tests.harness.fakes import FakeClock


class RunningClock(FakeClock):
    """A clock that runs, with real pauses."""

    def __init__(self) -> None:
        super().__init__(SystemClock().now())
        self._started = time.monotonic()

    def now(self) -> int:
        """Return the milliseconds since the epoch."""
        return super().now() + int((time.monotonic() - self._started) * 1000)

    def pause(self, seconds: float) -> None:
        """Wait."""
        SystemClock().pause(seconds)


def run_concurrently(*operations: Callable[[], Any]) -> list[Any]:
    """Run operations concurrently, and return the result or the error of each."""
    results: list[Any] = [None] * len(operations)
    start = Barrier(len(operations))

    def run(number: int) -> None:
        start.wait()
        try:
            results[number] = operations[number]()
        except Exception as error:
            results[number] = error

    threads = [Thread(target=run, args=(number,)) for number in range(len(operations))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
