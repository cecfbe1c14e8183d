"""The consumer of the Outbox table's stream."""

from __future__ import annotations

import msgspec

from contract import limits
from handlers.core.delivery.outbox import delivery_tasks
from handlers.core.delivery.ports import DeliveryQueue, Outbox
from handlers.core.shared.ports import Clock


class Relay(msgspec.Struct, frozen=True):
    """The stream's consumer: offers an event to the queue if its sender has not delivered it."""

    outbox: Outbox
    queue: DeliveryQueue
    clock: Clock

    def offer(self, event_id: str) -> bool:
        """Offer one new record to the queue, after the time its sender is left; return False to be asked again."""
        record = self.outbox.get(event_id)
        if record is None:
            return True
        grace = record.created_at + limits.FAST_PATH_GRACE_SECONDS * 1000 - self.clock.now()
        delay = min(limits.FAST_PATH_GRACE_SECONDS, max(0, -(-grace // 1000)))
        return not self.queue.send(delivery_tasks(record), delay)
