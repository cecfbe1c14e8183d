"""The consumer of the delivery queue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from handlers.core.delivery.outbox import is_send_record, publish_to, slice_of
from handlers.core.delivery.ports import (
    Audiences,
    DeliveryTask,
    DirectMessages,
    Outbox,
    OutboxRecord,
    Publisher,
)
from handlers.core.shared.ports import Clock


class Deliverer(msgspec.Struct, frozen=True):
    """Publishes the events of delivery tasks."""

    publisher: Publisher
    outbox: Outbox
    clock: Clock
    audiences: Audiences
    direct_messages: DirectMessages

    def deliver(self, task: DeliveryTask) -> bool:
        """Publish the event of one delivery task; return False if the queue must deliver the task again.

        An expired event is deleted without a publish.
        """
        record = self.outbox.get(task.event_id)
        if record is None:
            return True
        if is_send_record(record.event_id):
            self.direct_messages.complete(record.event_id)
        if record.expired(self.clock.now()):
            self.outbox.delete(record.event_id)
            return True
        if record.pending_slices is None:
            return self._deliver_all(record)
        participants = self.audiences.participants(record.audience) if record.audience else ()
        done = [self._deliver_slice(record, participants, number) for number in self._slices(record, task)]
        return all(done)

    @staticmethod
    def _slices(record: OutboxRecord, task: DeliveryTask) -> Iterable[int]:
        pending = record.pending_slices or frozenset()
        return sorted(pending) if task.slice is None else sorted(pending & {task.slice})

    def _deliver_all(self, record: OutboxRecord) -> bool:
        failed = publish_to(self.publisher, record, record.recipients)
        if not failed:
            self.outbox.delete(record.event_id)
        elif len(failed) < len(record.recipients):
            self.outbox.keep_only(record.event_id, failed)
        return not failed

    def _deliver_slice(self, record: OutboxRecord, participants: Sequence[str], number: int) -> bool:
        recipients = slice_of(record, participants, number)
        failed = publish_to(self.publisher, record, recipients)
        if not failed:
            self.outbox.finish_slice(record.event_id, number)
        elif len(failed) < len(recipients):
            self.outbox.keep_in_slice(record.event_id, number, failed)
        return not failed
