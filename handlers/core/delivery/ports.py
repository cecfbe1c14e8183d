"""The ports of delivery: the publisher, the outbox and the delivery queue.

A store's write either happened (it returns), did not happen (`UnavailableError`, or an answer that says why), or nobody
knows (`OutcomeUnknownError`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

import msgspec


class Publisher(Protocol):
    """The Event API's HTTP publish."""

    def publish(self, channels: Sequence[str], event: str) -> Collection[str]:
        """Publish one event to many channels, concurrently and each at least once.

        Args:
            channels: channel paths, each only once.
            event: the event as JSON text.

        Returns:
            The channels that did not take it. A channel whose answer got lost counts as one of them.
        """
        ...


class OutboxRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is stored with the change it tells of, until everybody has it.

    Args:
        event_id: the event's uuid, made once before the change's transaction; `{uuid}#{namespace}` for a copy of the
            event in a further namespace.
        namespace: channel namespace; a recipient's channel is `/{namespace}/{recipient}`.
        event: the event as JSON text.
        recipients: user ids (session ids in namespace calls). Always at least those who do not have the event yet.
        created_at, due_at: milliseconds since the epoch; at `due_at` the sweep takes the event for forgotten.
        pending_slices: numbers of the slices not yet published; None where the event is not delivered in slices.
        attempts: sweeps so far.
        valid_until: milliseconds since the epoch; from then on nobody may be told any more. None: it never lapses.
    """

    event_id: str
    namespace: str
    event: str
    recipients: tuple[str, ...]
    created_at: int
    due_at: int
    pending_slices: frozenset[int] | None = None
    attempts: int = 0
    valid_until: int | None = None

    def lapsed(self, now: int) -> bool:
        """Return whether it is too late to tell anybody.

        Args:
            now: milliseconds since the epoch.
        """
        return self.valid_until is not None and now >= self.valid_until


class Outbox(Protocol):
    """The events that not everybody has yet. Records are put by the transaction of the change itself."""

    def get(self, event_id: str) -> OutboxRecord | None:
        """Read a record consistently; None once everybody has the event."""
        ...

    def delete(self, event_id: str) -> None:
        """Everybody has the event."""
        ...

    def keep_only(self, event_id: str, recipients: Sequence[str]) -> None:
        """Only these recipients are left; does nothing where the record is gone."""
        ...

    def finish_slice(self, event_id: str, number: int) -> None:
        """A slice is published; with the last one the record goes. Does nothing where either is gone."""
        ...

    def due(self, now: int) -> Iterable[tuple[str, int]]:
        """Return (event id, due_at) of every record that is due, oldest first."""
        ...

    def claim(self, event_id: str, due_at: int, next_due_at: int) -> OutboxRecord | None:
        """Count one attempt and move a record's due date on; None if somebody else did, or the record is gone."""
        ...

    def give_up(self, event_id: str) -> None:
        """Let the sweep see the record no more. It stays readable until its time to live ends."""
        ...


class DeliveryTask(msgspec.Struct, frozen=True):
    """One unit of work of the delivery queue: a whole event, or one slice of its recipients."""

    event_id: str
    slice: int | None = None


class DeliveryQueue(Protocol):
    """The queue that feeds the deliver function."""

    def send(self, parcels: Sequence[DeliveryTask], delay_seconds: int = 0) -> Sequence[DeliveryTask]:
        """Enqueue parcels to become visible after a delay of at most 900 seconds.

        Returns:
            The parcels that the queue did not take.
        """
        ...
