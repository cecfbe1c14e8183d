"""Second `make up`: seconds until a stopped local cloud is ready again with its stored state."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from local.testing import LocalCloud

ROUNDS = 3


def run(rounds: int) -> list[str]:
    """Return the seconds of the first start (with synthesis and deployment) and of the later ones."""
    with tempfile.TemporaryDirectory() as scratch:
        first = _start(Path(scratch))
        again = [_start(Path(scratch)) for _ in range(rounds)]
    median = statistics.median(again)
    return [f"local cloud ready after: first start {first:.1f} s; later starts, median of {rounds}: {median:.1f} s"]


def _start(state: Path) -> float:
    started = time.monotonic()
    with LocalCloud.start(state, web=True):
        return time.monotonic() - started
