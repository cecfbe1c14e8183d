"""The ports that every domain needs: time, identifiers, rate counters."""

from __future__ import annotations

from typing import Protocol

from contract.limits import RateLimit


class Clock(Protocol):
    """Time, so that tests can hold it."""

    def now(self) -> int:
        """Return the milliseconds since the epoch."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait."""
        ...


class Ids(Protocol):
    """Fresh identifiers."""

    def new(self) -> str:
        """Return a random UUID (version 4) as text."""
        ...


class RateCounter(Protocol):
    """Counts what a user does, exactly under concurrency."""

    def count(self, user_id: str, rate: RateLimit, now: int) -> bool:
        """Count one use; return False, and count nothing, where the window is used up."""
        ...
