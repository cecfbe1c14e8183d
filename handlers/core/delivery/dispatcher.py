"""At-least-once delivery of events, also after a crash at any step.

An event is stored as an outbox record in the transaction of the change that it describes. Then:

1. The request publishes it to every recipient (few recipients) or enqueues slices (many), and responds.
2. What the request could not finish stays in the record. The relay, which the table's stream invokes for every new
   record, enqueues it.
3. What the relay or the queue lost, the sweep finds, once a minute.

Each of them may run twice or concurrently, since a record always contains at least every recipient who does not have
the event. At worst an event is published twice; clients drop the second one by its `eventId`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future

import msgspec

from contract import limits
from contract.responses import Delivery
from handlers.core.delivery.outbox import delivery_tasks, publish_to
from handlers.core.delivery.ports import DeliveryQueue, Outbox, OutboxRecord, Publisher
from handlers.core.shared.timing import stage

_log = logging.getLogger(__name__)


class Dispatcher(msgspec.Struct, frozen=True):
    """The fast path: publishes an event within the request that stored it."""

    publisher: Publisher
    outbox: Outbox
    queue: DeliveryQueue

    def dispatch(self, record: OutboxRecord, completing: Future[None] | None = None) -> Delivery:
        """Publish a stored event, or enqueue its slices; enqueue what failed.

        A service that fails raises no error here: the change is stored, and relay and sweep deliver its event.

        Args:
            record: the event's record.
            completing: a write that depends on the record; if it fails, the record stays, and its delivery repeats it.

        Returns:
            The number of recipients who have the event, and of those who will get it later.
        """
        if record.pending_slices is not None:
            with stage("enqueue"):
                self._enqueue(record, 0)
            return Delivery(delivered=0, pending=len(record.recipients))
        try:
            with stage("publish"):
                failed = publish_to(self.publisher, record, record.recipients)
        except Exception:
            _log.exception("publish failed; the relay will deliver event %s", record.event_id)
            failed = list(record.recipients)
        with stage("settle"):
            self._update_record(record, failed, completing)
        return Delivery(delivered=len(record.recipients) - len(failed), pending=len(failed))

    def _update_record(self, record: OutboxRecord, failed: Sequence[str], completing: Future[None] | None) -> None:
        try:
            if completing is not None:
                completing.result()
            if not failed:
                self.outbox.delete(record.event_id)
                return
            if len(failed) < len(record.recipients):
                self.outbox.keep_only(record.event_id, failed)
        except Exception:
            _log.exception("settling an outbox record failed; recipients may get event %s twice", record.event_id)
        if failed:
            self._enqueue(record, limits.FAST_PATH_GRACE_SECONDS)

    def _enqueue(self, record: OutboxRecord, delay_seconds: int) -> None:
        try:
            refused = self.queue.send(delivery_tasks(record), delay_seconds)
        except Exception:
            _log.exception("enqueueing delivery tasks failed; the relay will deliver event %s", record.event_id)
            return
        if refused:
            _log.error(
                "queue refused %d delivery tasks; the relay will deliver event %s", len(refused), record.event_id
            )
