"""Delivery: an accepted event reaches every recipient, whoever dies on the way.

The event is stored as an outbox record in the transaction of the change it tells of. Then, in this order:

1. the request itself publishes it to everybody (few recipients) or enqueues slices (many), and answers;
2. whatever it could not finish is left in the record, and offered to the queue by the relay, which the table's
   stream starts for every new record;
3. what even the relay or the queue lost is found by the sweep, once a minute.

Each of them may run twice, or at once: a record always names at least everybody who does not have the event, so
that the worst is an event published twice, which clients drop by its `eventId`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec

from contract import limits
from contract.responses import Delivery
from handlers.core.delivery.outbox import delivery_tasks, publish_to
from handlers.core.delivery.ports import DeliveryQueue, Outbox, OutboxRecord, Publisher
from handlers.core.shared.timing import stage

_log = logging.getLogger(__name__)


class Dispatcher(msgspec.Struct, frozen=True):
    """The fast path: what a request does with the event that it has just stored."""

    publisher: Publisher
    outbox: Outbox
    queue: DeliveryQueue

    def dispatch(self, record: OutboxRecord) -> Delivery:
        """Deliver a stored event as far as the request should wait for, and leave the rest to the queue.

        Never raises because of a service that fails: the change is stored, and relay and sweep finish the job.

        Returns:
            How many recipients have it, and how many will get it.
        """
        if record.pending_slices is not None:
            with stage("enqueue"):
                self._enqueue(record, 0)
            return Delivery(delivered=0, pending=len(record.recipients))
        try:
            with stage("publish"):
                failed = publish_to(self.publisher, record, record.recipients)
        except Exception:
            _log.exception("publishing %s failed; it is left to the relay", record.event_id)
            failed = list(record.recipients)
        with stage("settle"):
            self._settle(record, failed)
        return Delivery(delivered=len(record.recipients) - len(failed), pending=len(failed))

    def _settle(self, record: OutboxRecord, failed: Sequence[str]) -> None:
        try:
            if not failed:
                self.outbox.delete(record.event_id)
                return
            if len(failed) < len(record.recipients):
                self.outbox.keep_only(record.event_id, failed)
        except Exception:
            _log.exception("the outbox record %s could not be settled; some may get the event twice", record.event_id)
        if failed:
            self._enqueue(record, limits.FAST_PATH_GRACE_SECONDS)

    def _enqueue(self, record: OutboxRecord, delay_seconds: int) -> None:
        try:
            left = self.queue.send(delivery_tasks(record), delay_seconds)
        except Exception:
            _log.exception("%s could not be enqueued; it is left to the relay", record.event_id)
            return
        if left:
            _log.error("%d parcels of %s could not be enqueued; they are left to the relay", len(left), record.event_id)
