"""The ports that every domain needs: time, identifiers, rate counters."""

from __future__ import annotations

from typing import Protocol

from contract.limits import RateLimit


class Clock(Protocol):
    """The present time, and pauses; tests replace it by a clock that does not wait."""

    def now(self) -> int:
        """Return the milliseconds since the epoch."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait for some seconds."""
        ...


class Ids(Protocol):
    """New identifiers."""

    def new(self) -> str:
        """Return a random UUID (version 4) as text."""
        ...


class RateCounter(Protocol):
    """Counts a user's uses of a rate limit, exactly under concurrency."""

    def count(self, user_id: str, rate: RateLimit, now: int, uses: int = 1) -> bool:
        """Count some uses; return False, and count nothing, where they would exceed the limit of the window."""
        ...

    def add(self, user_id: str, rate: RateLimit, now: int, uses: int) -> None:
        """Count uses that have already happened, also above the limit."""
        ...
