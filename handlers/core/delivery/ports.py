"""The ports of delivery: the publisher, the outbox and the delivery queue.

A store's write has one of three outcomes: it is stored (the method returns), it is not stored (`UnavailableError`, or a
result that gives the reason), or the outcome is unknown (`OutcomeUnknownError`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec


class Publisher(Protocol):
    """The HTTP publish of the Event API."""

    def publish(self, channels: Sequence[str], event: str) -> Collection[str]:
        """Publish one event to many channels, concurrently and at least once to each.

        Args:
            channels: channel paths, each only once.
            event: the event as JSON text.

        Returns:
            The channels whose publish failed; among them those whose response was lost.
        """
        ...


class OutboxRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is stored with the change that it describes, until every recipient has it.

    Args:
        event_id: key of the record: the event's uuid, generated once before the change's transaction;
            `{uuid}#{namespace}` for a copy of the event in a further namespace; `send#…` for a direct message, whose
            record also accepts the message (`handlers.core.messages.numbering`).
        namespace: channel namespace; a recipient's channel is `/{namespace}/{recipient}`.
        event: the event as JSON text.
        recipients: user ids (session ids in namespace calls); at least all recipients who do not have the event yet.
            Of an event for an audience the record stores none.
        created_at, due_at: milliseconds since the epoch; from `due_at` on the sweep offers the event again.
        pending_slices: numbers of the slices not yet published; None where the event is not delivered in slices.
        audience: the conversation whose participants at the time of delivery are the recipients; only with slices.
        slices: number of slices into which an audience is divided.
        left: recipients of a slice who are left, by number of the slice, where a publish reached only some of them.
        attempts: number of sweeps that offered the event.
        valid_until: milliseconds since the epoch; from then on the event is not published any more. None: no limit.
        correlation_id: of the request that stored the event.
    """

    event_id: str
    namespace: str
    event: str
    recipients: tuple[str, ...]
    created_at: int
    due_at: int
    pending_slices: frozenset[int] | None = None
    audience: str | None = None
    slices: int = 0
    left: Mapping[int, tuple[str, ...]] = msgspec.field(default_factory=dict)
    attempts: int = 0
    valid_until: int | None = None
    correlation_id: str | None = None

    def expired(self, now: int) -> bool:
        """Return whether the event must not be published any more.

        Args:
            now: milliseconds since the epoch.
        """
        return self.valid_until is not None and now >= self.valid_until


class Outbox(Protocol):
    """The events that some recipients do not have yet. The transaction of a change stores its record."""

    def get(self, event_id: str) -> OutboxRecord | None:
        """Read a record consistently; None after its deletion."""
        ...

    def delete(self, event_id: str) -> None:
        """Delete the record of an event that every recipient has."""
        ...

    def keep_only(self, event_id: str, recipients: Sequence[str]) -> None:
        """Remove all other recipients from a record. Does nothing if the record is deleted."""
        ...

    def finish_slice(self, event_id: str, number: int) -> None:
        """Remove a published slice, and delete the record with its last slice. Does nothing if either is gone."""
        ...

    def keep_in_slice(self, event_id: str, number: int, recipients: Sequence[str]) -> None:
        """Remove all other recipients from a pending slice. Does nothing if the slice or the record is gone."""
        ...

    def due(self, now: int) -> Iterable[tuple[str, int]]:
        """Return (event id, due_at) of every record that is due, oldest first."""
        ...

    def claim(self, event_id: str, due_at: int, next_due_at: int) -> OutboxRecord | None:
        """Count an attempt and postpone a record's due date; None if another sweep did, or the record is deleted."""
        ...

    def give_up(self, event_id: str) -> None:
        """Exclude a record from further sweeps. It remains readable until its time to live ends."""
        ...


class DirectMessages(Protocol):
    """The direct messages that are accepted by their outbox records."""

    def complete(self, event_id: str) -> None:
        """Store the message of a record in the table Messages, unless it is stored, and what depends on it."""
        ...


class Audiences(Protocol):
    """The participants of conversations."""

    def participants(self, conversation_id: str) -> Sequence[str]:
        """Read the present participants consistently, without those for whom the conversation is hidden.

        Empty where the conversation does not exist.
        """
        ...


class DeliveryTask(msgspec.Struct, frozen=True):
    """One unit of work of the delivery queue: an event, or one slice of its recipients."""

    event_id: str
    slice: int | None = None
    correlation_id: str | None = None


class ReceiptTask(msgspec.Struct, frozen=True, kw_only=True):
    """The read marks of a group that moved within some seconds, to be published in one event.

    Args:
        event_id: the event's uuid.
        since, until: the marks that moved at or after `since` and before `until`, in milliseconds since the epoch.
        reader: only the mark of this member, and only to this member; None for all members.
        left: recipients who are left after a failed publish; empty for all recipients.
        attempt: number of this attempt, from 1.
        correlation_id: of the first request that moved one of the marks.
    """

    event_id: str
    conversation_id: str
    since: int
    until: int
    reader: str | None = None
    left: tuple[str, ...] = ()
    attempt: int = 1
    correlation_id: str | None = None


QueueTask = DeliveryTask | ReceiptTask
"""What a message of the delivery queue holds."""


class DeliveryQueue(Protocol):
    """The queue that invokes the deliver function."""

    def send(self, tasks: Sequence[QueueTask], delay_seconds: int = 0) -> Sequence[QueueTask]:
        """Enqueue tasks, visible after a delay of at most 900 seconds.

        Returns:
            The tasks that the queue did not accept.
        """
        ...
