"""Token bucket: a steady rate with a burst, as AWS throttles requests."""

from __future__ import annotations

from collections.abc import Callable


class TokenBucket:
    """One bucket. Used from one thread only.

    Args:
        rate: requests a second.
        burst: requests at once, after a pause.
        clock: seconds, steadily growing.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._tokens, self._filled_at = burst, clock()

    @property
    def limits(self) -> tuple[float, float]:
        """Rate and burst."""
        return self._rate, self._burst

    def take(self) -> bool:
        """Take one request out of the bucket; False when it is empty."""
        if not self.has_one():
            return False
        self._tokens -= 1
        return True

    def has_one(self) -> bool:
        """Return whether a request would be accepted now."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        return self._tokens >= 1
