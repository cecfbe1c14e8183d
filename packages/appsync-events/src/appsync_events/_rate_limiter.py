"""No more than so many of something in any second."""

from __future__ import annotations

import asyncio
from collections import deque

_WINDOW_SECONDS = 1.0


class Pacer:
    """Lets waiting callers through, in their order, at most `per_second` in any one second.

    Args:
        per_second: the limit.
    """

    def __init__(self, per_second: int) -> None:
        self._passed: deque[float] = deque(maxlen=per_second)
        self._turn = asyncio.Lock()

    async def turn(self) -> None:
        """Wait for one's turn."""
        loop = asyncio.get_running_loop()
        async with self._turn:
            if len(self._passed) == self._passed.maxlen:
                await asyncio.sleep(self._passed[0] + _WINDOW_SECONDS - loop.time())
            self._passed.append(loop.time())
