"""Limits how fast a command writes, and says how far it is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Final, TextIO

_EVERY_SECONDS: Final = 2.0


class Pace:
    """Limits writes and prints progress.

    Args:
        per_second: most writes in one second, so that the users' requests keep their share of the tables.
        output: where progress is printed.
        clock, sleep: the time in seconds, and a pause; tests replace them.
    """

    def __init__(
        self,
        per_second: float,
        *,
        output: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval = 1 / per_second
        self._output = output or sys.stderr
        self._clock = clock
        self._sleep = sleep
        self._next = clock()
        self._printed = clock()

    def before_write(self) -> None:
        """Wait until the next write is allowed."""
        wait = self._next - self._clock()
        if wait > 0:
            self._sleep(wait)
        self._next = max(self._next, self._clock()) + self._interval

    def report(self, text: str, *, last: bool = False) -> None:
        """Print progress, at most once in two seconds, and always the last line of a step."""
        if last or self._clock() - self._printed >= _EVERY_SECONDS:
            self._printed = self._clock()
            print(text, file=self._output, flush=True)
