"""The consumer of the Outbox table's stream."""

from __future__ import annotations

import logging

import msgspec

from contract import limits
from handlers.core.delivery.outbox import delivery_tasks, event_fields
from handlers.core.delivery.ports import DeliveryQueue, Outbox
from handlers.core.shared import correlation
from handlers.core.shared.ports import Clock

_log = logging.getLogger(__name__)


class Relay(msgspec.Struct, frozen=True):
    """Enqueues new events that their request has not delivered."""

    outbox: Outbox
    queue: DeliveryQueue
    clock: Clock

    def enqueue(self, event_id: str) -> bool:
        """Enqueue one new record, delayed to give its request time to deliver it; return False if it was refused."""
        record = self.outbox.get(event_id)
        if record is None:
            return True
        remaining = record.created_at + limits.FAST_PATH_GRACE_SECONDS * 1000 - self.clock.now()
        delay = min(limits.FAST_PATH_GRACE_SECONDS, max(0, -(-remaining // 1000)))
        with correlation.scope(record.correlation_id):
            done = not self.queue.send(delivery_tasks(record), delay)
            _log.info("event queued", extra={"fields": {**event_fields(record), "by": "relay", "done": done}})
        return done
