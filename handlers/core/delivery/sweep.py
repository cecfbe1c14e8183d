"""The scheduled sweep: finds events that were never delivered."""

from __future__ import annotations

import logging

import msgspec

from contract import limits
from handlers.core.delivery.outbox import delivery_tasks, event_fields
from handlers.core.delivery.ports import DeliveryQueue, Outbox, OutboxRecord
from handlers.core.shared import correlation
from handlers.core.shared.ports import Clock

_log = logging.getLogger(__name__)


class SweepReport(msgspec.Struct):
    """The result of one sweep.

    Args:
        offered: number of events enqueued again.
        given_up: ids of events that reached the last attempt.
        left: ids of events left to the next sweep.
    """

    offered: int = 0
    given_up: list[str] = msgspec.field(default_factory=list)
    left: list[str] = msgspec.field(default_factory=list)


class Sweep(msgspec.Struct, frozen=True):
    """Finds events that request, relay and queue have not delivered."""

    outbox: Outbox
    queue: DeliveryQueue
    clock: Clock

    def run(self) -> SweepReport:
        """Enqueue every due event again, with doubling pauses between attempts, and give up after the last attempt."""
        report = SweepReport()
        for event_id, due_at in self.outbox.due(self.clock.now()):
            try:
                self._sweep(event_id, due_at, report)
            except Exception:
                _log.exception("sweep failed for event %s; will retry", event_id)
                report.left.append(event_id)
        return report

    def _sweep(self, event_id: str, due_at: int, report: SweepReport) -> None:
        record = self.outbox.get(event_id)
        if record is None or record.due_at != due_at:
            return
        with correlation.scope(record.correlation_id):
            self._offer(record, report)

    def _offer(self, record: OutboxRecord, report: SweepReport) -> None:
        event_id, due_at = record.event_id, record.due_at
        if record.attempts >= limits.DELIVERY_ATTEMPTS_MAX:
            self.outbox.give_up(event_id)
            report.given_up.append(event_id)
            text = "delivery given up for event %s; its record stays for an operator"
            _log.error(text, event_id, extra={"fields": {**event_fields(record), "attempts": record.attempts}})
            return
        claimed = self.outbox.claim(event_id, due_at, self._next_due(record.attempts))
        if claimed is None:
            return
        done = not self.queue.send(delivery_tasks(claimed))
        fields = {**event_fields(record), "by": "sweep", "attempts": claimed.attempts, "done": done}
        _log.info("event queued", extra={"fields": fields})
        if done:
            report.offered += 1
        else:
            report.left.append(event_id)

    def _next_due(self, attempts: int) -> int:
        """Return the next due date: the pause doubles, so that the last attempt is made after most of a day."""
        return self.clock.now() + (limits.SWEEP_AFTER_SECONDS << attempts) * 1000
