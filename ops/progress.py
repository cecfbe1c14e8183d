"""Progress of a command on the terminal: each step with the time since the command began."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Final

_MINUTE: Final = 60


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Progress:
    """Prints one line for each step of a command.

    Args:
        write: prints a line.
        clock: returns the time in seconds.
    """

    def __init__(self, write: Callable[[str], None] = _to_stderr, clock: Callable[[], float] = time.monotonic) -> None:
        self._write, self._clock = write, clock
        self._start = clock()

    def step(self, text: str) -> None:
        """Announce a step, with the elapsed time in minutes and seconds."""
        minutes, seconds = divmod(int(self._clock() - self._start), _MINUTE)
        self._write(f"→ [{minutes}:{seconds:02}] {text}")

    def note(self, text: str) -> None:
        """Print what a step found."""
        self._write("\n".join(f"         {line}" for line in text.splitlines()))
