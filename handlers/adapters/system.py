"""The system clock and random identifiers."""

from __future__ import annotations

import time
import uuid

from handlers.core.shared.ports import Clock, Ids


class SystemClock(Clock):
    """The system's time."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def pause(self, seconds: float) -> None:
        time.sleep(seconds)


class RandomIds(Ids):
    """Random UUIDs."""

    def new(self) -> str:
        return str(uuid.uuid4())
