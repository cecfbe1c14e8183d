"""A rate limit with a sliding window of one second."""

from __future__ import annotations

import asyncio
from collections import deque

_WINDOW_SECONDS = 1.0


class RateLimiter:
    """Admits waiting callers in their order, at most `per_second` within any one second.

    Args:
        per_second: the limit.
    """

    def __init__(self, per_second: int) -> None:
        self._admitted: deque[float] = deque(maxlen=per_second)
        self._lock = asyncio.Lock()

    async def acquire(self) -> None:
        """Wait until the limit admits the caller."""
        loop = asyncio.get_running_loop()
        async with self._lock:
            if len(self._admitted) == self._admitted.maxlen:
                await asyncio.sleep(self._admitted[0] + _WINDOW_SECONDS - loop.time())
            self._admitted.append(loop.time())
