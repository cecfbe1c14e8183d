"""The machine's clock and random identifiers."""

from __future__ import annotations

import time
import uuid


class SystemClock:
    """Time as the machine has it."""

    def now(self) -> int:
        """Return the milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def pause(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class RandomIds:
    """Random UUIDs."""

    def new(self) -> str:
        """Return a UUID (version 4) as text."""
        return str(uuid.uuid4())
