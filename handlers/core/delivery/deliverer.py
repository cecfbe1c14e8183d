"""The consumer of the delivery queue."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from handlers.core.delivery.outbox import publish_to, slice_size
from handlers.core.delivery.ports import DeliveryTask, Outbox, OutboxRecord, Publisher
from handlers.core.shared.ports import Clock


class Deliverer(msgspec.Struct, frozen=True):
    """The queue's consumer: publishes what a parcel stands for."""

    publisher: Publisher
    outbox: Outbox
    clock: Clock

    def deliver(self, parcel: DeliveryTask) -> bool:
        """Publish one parcel; return whether it is done, so that the queue need not offer it again.

        An event that has lapsed is dropped: late, it would say what is no longer so.
        """
        record = self.outbox.get(parcel.event_id)
        if record is None:
            return True
        if record.lapsed(self.clock.now()):
            self.outbox.delete(record.event_id)
            return True
        if record.pending_slices is None:
            return self._deliver_all(record)
        return all(self._deliver_slice(record, number) for number in self._slices(record, parcel))

    @staticmethod
    def _slices(record: OutboxRecord, parcel: DeliveryTask) -> Iterable[int]:
        pending = record.pending_slices or frozenset()
        return sorted(pending) if parcel.slice is None else sorted(pending & {parcel.slice})

    def _deliver_all(self, record: OutboxRecord) -> bool:
        failed = publish_to(self.publisher, record, record.recipients)
        if not failed:
            self.outbox.delete(record.event_id)
        elif len(failed) < len(record.recipients):
            self.outbox.keep_only(record.event_id, failed)
        return not failed

    def _deliver_slice(self, record: OutboxRecord, number: int) -> bool:
        size = slice_size(record.recipients)
        failed = publish_to(self.publisher, record, record.recipients[number * size : (number + 1) * size])
        if not failed:
            self.outbox.finish_slice(record.event_id, number)
        return not failed
