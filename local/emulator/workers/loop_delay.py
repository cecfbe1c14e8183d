"""How late the emulator's event loop is: whether the processors have more to do than they can."""

from __future__ import annotations

import asyncio
from typing import Final

_PERIOD_SECONDS: Final = 0.2
_KEPT_SHARE: Final = 0.8
"""Share of an earlier delay that counts after one more period."""


class LoopDelay:
    """Looks at the clock again and again, and notes how late it was called.

    Attributes:
        seconds: the delay, of the last seconds the greatest.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._due = 0.0
        self.watching = False

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to look; call it from any thread."""
        self.watching = True
        loop.call_soon_threadsafe(self._plan, loop)

    def _plan(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = loop.time() + _PERIOD_SECONDS
        loop.call_at(self._due, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self.seconds = max(loop.time() - self._due, self.seconds * _KEPT_SHARE)
        self._plan(loop)
