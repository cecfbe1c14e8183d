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
from collections.abc import Iterable, Sequence

import msgspec

from contract import limits
from contract.channels import Namespace
from contract.events import Event
from contract.responses import Delivery
from handlers.core.ports import Clock, DeliveryQueue, Outbox, OutboxRecord, Parcel, Publisher
from handlers.core.stages import stage

_log = logging.getLogger(__name__)


def event_json(event: msgspec.Struct) -> str:
    """Return one of `contract.events` as it goes over the wire."""
    return msgspec.json.encode(event).decode()


def outbox_record(
    namespace: Namespace,
    event: Event,
    recipients: Sequence[str],
    *,
    now: int,
    fanout_limit: int,
    valid_until: int | None = None,
    copy: bool = False,
) -> OutboxRecord:
    """Return the record to put in the transaction of the change.

    Args:
        namespace: where the recipients listen.
        event: one of `contract.events`, with its `eventId`.
        recipients: user ids, each only once.
        now: milliseconds since the epoch.
        fanout_limit: most recipients published to within the request; above it the event goes out in slices.
        valid_until: milliseconds since the epoch, from when on nobody may be told any more.
        copy: the same event has a record in another namespace already.
    """
    sliced = len(recipients) > fanout_limit
    slices = range(-(-len(recipients) // _slice_size(recipients)))
    return OutboxRecord(
        event_id=f"{event.eventId}#{namespace.name}" if copy else event.eventId,
        namespace=namespace.name,
        event=event_json(event),
        recipients=tuple(recipients),
        created_at=now,
        due_at=now + limits.SWEEP_AFTER_SECONDS * 1000,
        pending_slices=frozenset(slices) if sliced else None,
        valid_until=valid_until,
    )


def parcels(record: OutboxRecord) -> tuple[Parcel, ...]:
    """Return the queue's work for what is left of a record."""
    if record.pending_slices is None:
        return (Parcel(record.event_id),)
    return tuple(Parcel(record.event_id, number) for number in sorted(record.pending_slices))


def _slice_size(recipients: Sequence[str]) -> int:
    """Return the recipients of one slice: as many slices work side by side as one call to the queue can ask for."""
    return max(limits.SLICE_RECIPIENTS, -(-len(recipients) // limits.QUEUE_BATCH_MAX))


def _publish(publisher: Publisher, record: OutboxRecord, recipients: Sequence[str]) -> list[str]:
    """Publish to some recipients and return those who did not get it, in their order."""
    channels = {f"/{record.namespace}/{recipient}": recipient for recipient in recipients}
    failed = set(publisher.publish(tuple(channels), record.event))
    return [recipient for channel, recipient in channels.items() if channel in failed]


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
                failed = _publish(self.publisher, record, record.recipients)
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
            left = self.queue.send(parcels(record), delay_seconds)
        except Exception:
            _log.exception("%s could not be enqueued; it is left to the relay", record.event_id)
            return
        if left:
            _log.error("%d parcels of %s could not be enqueued; they are left to the relay", len(left), record.event_id)


class Deliverer(msgspec.Struct, frozen=True):
    """The queue's consumer: publishes what a parcel stands for."""

    publisher: Publisher
    outbox: Outbox
    clock: Clock

    def deliver(self, parcel: Parcel) -> bool:
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
    def _slices(record: OutboxRecord, parcel: Parcel) -> Iterable[int]:
        pending = record.pending_slices or frozenset()
        return sorted(pending) if parcel.slice is None else sorted(pending & {parcel.slice})

    def _deliver_all(self, record: OutboxRecord) -> bool:
        failed = _publish(self.publisher, record, record.recipients)
        if not failed:
            self.outbox.delete(record.event_id)
        elif len(failed) < len(record.recipients):
            self.outbox.keep_only(record.event_id, failed)
        return not failed

    def _deliver_slice(self, record: OutboxRecord, number: int) -> bool:
        size = _slice_size(record.recipients)
        failed = _publish(self.publisher, record, record.recipients[number * size : (number + 1) * size])
        if not failed:
            self.outbox.finish_slice(record.event_id, number)
        return not failed


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
        return not self.queue.send(parcels(record), delay)


class Swept(msgspec.Struct):
    """What one sweep did: events offered again, event ids given up, event ids that are left for the next sweep."""

    offered: int = 0
    given_up: list[str] = msgspec.field(default_factory=list)
    left: list[str] = msgspec.field(default_factory=list)


class Sweep(msgspec.Struct, frozen=True):
    """The clock's consumer: finds events that everybody forgot."""

    outbox: Outbox
    queue: DeliveryQueue
    clock: Clock

    def run(self) -> Swept:
        """Offer every due event to the queue again, later and later, and give up after the last attempt."""
        swept = Swept()
        for event_id, due_at in self.outbox.due(self.clock.now()):
            try:
                self._sweep(event_id, due_at, swept)
            except Exception:
                _log.exception("%s could not be swept; the next sweep finds it", event_id)
                swept.left.append(event_id)
        return swept

    def _sweep(self, event_id: str, due_at: int, swept: Swept) -> None:
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
        if self.queue.send(parcels(claimed)):
            swept.left.append(event_id)
        else:
            swept.offered += 1

    def _next_due(self, attempts: int) -> int:
        """Return when to look again: the pause doubles, so that the last attempt comes after most of a day."""
        return self.clock.now() + (limits.SWEEP_AFTER_SECONDS << attempts) * 1000
