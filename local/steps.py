"""Named steps with their times, and failures that say what to do."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_REFRESH_SECONDS = 1.0


class StepError(Exception):
    """A step failed. `str()` names the step, the cause and the remedy."""

    def __init__(self, cause: str, remedy: str, details: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy
        self.details = details
        self.step = ""

    def __str__(self) -> str:
        step = f"{self.step}: " if self.step else ""
        details = f"\n{self.details.rstrip()}" if self.details else ""
        return f"{step}{self.cause}{details}\n→ {self.remedy}"


class Steps:
    """Prints one line per step with its seconds; on a terminal the running step counts up."""

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._stream = stream or sys.stdout
        self._quiet = quiet
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Run a block as the step `name`.

        Raises:
            StepError: what the block raised, with the step's name filled in.
        """
        started = time.monotonic()
        finished = threading.Event()
        ticker = self._start_ticker(name, started, finished)
        outcome = "failed"
        try:
            yield
            outcome = "done"
        except StepError as error:
            error.step = error.step or name
            raise
        finally:
            finished.set()
            if ticker is not None:
                ticker.join()
            self.seconds[name] = time.monotonic() - started
            self._print_line(name, self.seconds[name], outcome)

    def skipped(self, name: str, why: str) -> None:
        """Say that a step was not needed."""
        if not self._quiet:
            print(f"  - {name}: {why}", file=self._stream, flush=True)

    def say(self, text: str) -> None:
        """Print a line of its own."""
        if not self._quiet:
            print(text, file=self._stream, flush=True)

    def _start_ticker(self, name: str, started: float, finished: threading.Event) -> threading.Thread | None:
        if self._quiet or not self._stream.isatty():
            return None

        def tick() -> None:
            while not finished.wait(_REFRESH_SECONDS):
                print(f"\r  … {name} {time.monotonic() - started:.0f} s", end="", file=self._stream, flush=True)

        thread = threading.Thread(target=tick, daemon=True, name="step-ticker")
        thread.start()
        return thread

    def _print_line(self, name: str, seconds: float, outcome: str) -> None:
        if self._quiet:
            return
        start = "\r" if self._stream.isatty() else ""
        mark = "✓" if outcome == "done" else "✗"
        print(f"{start}  {mark} {name} ({seconds:.1f} s)", file=self._stream, flush=True)
