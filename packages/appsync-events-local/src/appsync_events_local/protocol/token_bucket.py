"""A token bucket: limits the rate of an operation."""


class TokenBucket:
    """Allows `burst` at once and `per_second` over time; times are seconds of any monotonic clock."""

    def __init__(self, burst: int, per_second: int) -> None:
        self._burst = float(burst)
        self._per_second = per_second
        self._tokens = self._burst
        self._at: float | None = None

    def take(self, now: float, count: int = 1) -> bool:
        """Return whether so many more operations are allowed at `now`; if so, count them."""
        if self._at is not None:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        if self._tokens < count:
            return False
        self._tokens -= count
        return True
