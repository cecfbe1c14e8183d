"""The scheduled sweep: finds events that were never delivered."""

from __future__ import annotations

import logging

import msgspec

from contract import limits
from handlers.core.delivery.outbox import delivery_tasks
from handlers.core.delivery.ports import DeliveryQueue, Outbox
from handlers.core.shared.ports import Clock

_log = logging.getLogger(__name__)


class SweepReport(msgspec.Struct):
    """What one sweep did: events offered again, event ids given up, event ids that are left for the next sweep."""

    offered: int = 0
    given_up: list[str] = msgspec.field(default_factory=list)
    left: list[str] = msgspec.field(default_factory=list)


class Sweep(msgspec.Struct, frozen=True):
    """The clock's consumer: finds events that everybody forgot."""

    outbox: Outbox
    queue: DeliveryQueue
    clock: Clock

    def run(self) -> SweepReport:
        """Offer every due event to the queue again, later and later, and give up after the last attempt."""
        swept = SweepReport()
        for event_id, due_at in self.outbox.due(self.clock.now()):
            try:
                self._sweep(event_id, due_at, swept)
            except Exception:
                _log.exception("%s could not be swept; the next sweep finds it", event_id)
                swept.left.append(event_id)
        return swept

    def _sweep(self, event_id: str, due_at: int, swept: SweepReport) -> None:
        record = self.outbox.get(event_id)
        if record is None or record.due_at != due_at:
            return
        if record.attempts >= limits.DELIVERY_ATTEMPTS_MAX:
            self.outbox.give_up(event_id)
            swept.given_up.append(event_id)
            return
        claimed = self.outbox.claim(event_id, due_at, self._next_due(record.attempts))
        if claimed is None:
            return
        if self.queue.send(delivery_tasks(claimed)):
            swept.left.append(event_id)
        else:
            swept.offered += 1

    def _next_due(self, attempts: int) -> int:
        """Return when to look again: the pause doubles, so that the last attempt comes after most of a day."""
        return self.clock.now() + (limits.SWEEP_AFTER_SECONDS << attempts) * 1000
