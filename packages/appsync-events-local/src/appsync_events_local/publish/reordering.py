"""Reordered deliveries (fault injection)."""

import asyncio
from collections.abc import Callable

from appsync_events_local.publish.broker import Subscription

Deliver = Callable[[], None]


class ReorderBuffer:
    """Holds at most one delivery per subscription, until the next one has been sent or the wait time has passed."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[asyncio.TimerHandle, Deliver]] = {}

    def holds(self, subscription: Subscription) -> bool:
        return id(subscription) in self._held

    def hold(self, subscription: Subscription, deliver: Deliver, wait_ms: float) -> None:
        """Hold this delivery for `wait_ms` milliseconds, or until `release`."""
        loop = asyncio.get_running_loop()
        timer = loop.call_later(wait_ms / 1000, self.release, subscription)
        self._held[id(subscription)] = (timer, deliver)

    def release(self, subscription: Subscription) -> None:
        """Send the held delivery of this subscription; does nothing if there is none."""
        held = self._held.pop(id(subscription), None)
        if held is not None:
            timer, deliver = held
            timer.cancel()
            deliver()
