"""Outbox records: an event stored with the change it describes, and the delivery tasks that follow from it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

import msgspec

from contract import limits
from contract.channels import Namespace
from contract.events import Event
from contract.outbox_keys import SEND_PREFIX, slice_number
from handlers.core.delivery.ports import DeliveryTask, OutboxRecord, Publisher
from handlers.core.shared import correlation

_log = logging.getLogger(__name__)


LOGGED_RECIPIENTS_MAX: Final = 25
"""Most user ids in one log line: the recipients of one slice."""


class _Subject(msgspec.Struct):
    conversationId: str | None = None  # noqa: N815  # wire names
    messageId: str | None = None  # noqa: N815
    sessionId: str | None = None  # noqa: N815
    userId: str | None = None  # noqa: N815


class _Head(msgspec.Struct):
    type: str = ""
    data: _Subject = msgspec.field(default_factory=_Subject)


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
        correlation_id=correlation.present(),
    )


def delivery_tasks(record: OutboxRecord) -> tuple[DeliveryTask, ...]:
    """Return the delivery tasks of a record: one, or one for each pending slice."""
    if record.pending_slices is None:
        return (DeliveryTask(record.event_id, correlation_id=record.correlation_id),)
    return tuple(
        DeliveryTask(record.event_id, number, record.correlation_id) for number in sorted(record.pending_slices)
    )


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
        recipients = tuple(each for each in participants if slice_number(each, record.slices) == number)
    if number not in record.left:
        return recipients
    left = set(record.left[number])
    return [each for each in recipients if each in left]


def publish_to(publisher: Publisher, record: OutboxRecord, recipients: Sequence[str]) -> list[str]:
    """Publish to some recipients and return those whose publish failed, in their order.

    The log line names them, and counts the others: `python -m ops explain` reads it.
    """
    channels = {f"/{record.namespace}/{recipient}": recipient for recipient in recipients}
    refused = set(publisher.publish(tuple(channels), record.event))
    failed = [recipient for channel, recipient in channels.items() if channel in refused]
    fields = {**event_fields(record), "recipients": len(recipients), "failed": failed[:LOGGED_RECIPIENTS_MAX]}
    _log.info("event published", extra={"fields": fields})
    return failed


def event_fields(record: OutboxRecord) -> dict[str, object]:
    """Return the fields of a log line about an event: its id, its type, and the ids of what it is about."""
    head = msgspec.json.decode(record.event, type=_Head)
    subject = {name: value for name, value in msgspec.structs.asdict(head.data).items() if value is not None}
    return {"eventId": record.event_id, "eventType": head.type, "namespace": record.namespace, **subject}
