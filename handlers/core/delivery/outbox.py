"""Outbox records: an event stored with the change it describes, and the delivery tasks that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from zlib import crc32

import msgspec

from contract import limits
from contract.channels import Namespace
from contract.events import Event
from handlers.core.delivery.ports import DeliveryTask, OutboxRecord, Publisher

SEND_PREFIX: Final = "send#"
"""Beginning of the key of a direct message's record, which stays after the delivery as the record of its tempId."""


def is_send_record(event_id: str) -> bool:
    """Return whether a record accepts a direct message."""
    return event_id.startswith(SEND_PREFIX)


def event_json(event: msgspec.Struct) -> str:
    """Encode one of `contract.events` as JSON text."""
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
    audience: str | None = None,
) -> OutboxRecord:
    """Return the record to store in the transaction of the change.

    Args:
        namespace: the namespace of the recipients' channels.
        event: one of `contract.events`, with its `eventId`.
        recipients: user ids, each only once.
        now: milliseconds since the epoch.
        fanout_limit: most recipients published to within the request; above it the event is delivered in slices.
        valid_until: milliseconds since the epoch, from which on the event is not published any more.
        audience: the conversation whose participants the recipients are, if they are all of them. Above the fan-out
            limit the record refers to it: a list of 1,000 recipients is 37 KB, which each update would write again.
        copy: the event has a record in another namespace too; this record gets an event id of its own.
    """
    sliced = len(recipients) > fanout_limit
    slices = -(-len(recipients) // slice_size(recipients))
    return OutboxRecord(
        event_id=f"{event.eventId}#{namespace.name}" if copy else event.eventId,
        namespace=namespace.name,
        event=event_json(event),
        recipients=tuple(recipients),
        created_at=now,
        due_at=now + limits.SWEEP_AFTER_SECONDS * 1000,
        pending_slices=frozenset(range(slices)) if sliced else None,
        audience=audience if sliced else None,
        slices=slices if sliced and audience else 0,
        valid_until=valid_until,
    )


def delivery_tasks(record: OutboxRecord) -> tuple[DeliveryTask, ...]:
    """Return the delivery tasks of a record: one, or one for each pending slice."""
    if record.pending_slices is None:
        return (DeliveryTask(record.event_id),)
    return tuple(DeliveryTask(record.event_id, number) for number in sorted(record.pending_slices))


def slice_size(recipients: Sequence[str]) -> int:
    """Return the number of recipients in a slice: one call to the queue must be able to enqueue all slices."""
    return max(limits.SLICE_RECIPIENTS, -(-len(recipients) // limits.QUEUE_BATCH_MAX))


def slice_of(record: OutboxRecord, participants: Sequence[str], number: int) -> Sequence[str]:
    """Return the recipients of one slice who are left.

    An audience is divided by a hash of the user id, so that each participant stays in the same slice when the
    participants change between two slices.

    Args:
        record: the record of the event.
        participants: the present participants of the record's audience; not used where it has none.
        number: the slice's number.
    """
    if record.audience is None:
        size = slice_size(record.recipients)
        recipients = record.recipients[number * size : (number + 1) * size]
    else:
        recipients = tuple(each for each in participants if crc32(each.encode()) % record.slices == number)
    if number not in record.left:
        return recipients
    left = set(record.left[number])
    return [each for each in recipients if each in left]


def publish_to(publisher: Publisher, record: OutboxRecord, recipients: Sequence[str]) -> list[str]:
    """Publish to some recipients and return those whose publish failed, in their order."""
    channels = {f"/{record.namespace}/{recipient}": recipient for recipient in recipients}
    failed = set(publisher.publish(tuple(channels), record.event))
    return [recipient for channel, recipient in channels.items() if channel in failed]
