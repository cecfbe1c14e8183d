"""An application that records the client's updates."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from client.state.updates import (
    CallChanged,
    CallChangeKind,
    MessageAdded,
    SyncState,
    SyncStateChanged,
    Update,
)

LONGEST_WAIT_SECONDS = 20.0


class RecordingApplication:
    """Records every update and waits for conditions on them."""

    def __init__(self) -> None:
        self.updates: list[Update] = []
        self._changed = asyncio.Event()

    def take(self, update: Update) -> None:
        self.updates.append(update)
        self._changed.set()

    def texts(self) -> list[str | None]:
        """Return the contents of the reported messages."""
        return [update.message.content for update in self.updates if isinstance(update, MessageAdded)]

    def sync_states(self) -> list[SyncState]:
        return [update.state for update in self.updates if isinstance(update, SyncStateChanged)]

    def call_changes(self) -> list[CallChangeKind]:
        return [update.kind for update in self.updates if isinstance(update, CallChanged)]

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until a condition holds; it is checked after each update."""
        async with asyncio.timeout(LONGEST_WAIT_SECONDS):
            while not condition():
                self._changed.clear()
                await self._changed.wait()
