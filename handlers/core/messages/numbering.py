"""Numbers messages without a lock, so that many participants may send at once.

A sender reserves the next sequence number and timestamp by one atomic update of the counter, and stores the message
afterwards. Until then the reservation is pending. A reservation whose sender failed can be voided: a placeholder is
stored at the key that the message would have, its conversation and timestamp. Either the message or the placeholder
exists, never both, and no number stays without one of them.

The counter of a group is an item of its own, and its message is stored by a transaction. In a direct conversation the
counter is part of the conversation, and one write without a transaction accepts the message: that of its outbox record,
which contains it (`direct_messages`). Before such a reservation is voided, a mark in that record excludes the write.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from enum import Enum
from functools import partial
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from contract.models import Message
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import ConversationReader
from handlers.core.shared.errors import OutcomeUnknownError, UnavailableError
from handlers.core.shared.ports import Clock
from handlers.core.shared.retry import attempts
from handlers.core.shared.timestamps import from_iso, to_iso

_log = logging.getLogger(__name__)

VOID_AFTER_MS: Final = 1_000
"""Age from which a reader voids a reservation: a transaction takes tens of milliseconds. A slower sender loses nothing
but time: it finds the placeholder and reserves again."""
_READS: Final = 16
"""Most reads of a counter, within about two seconds: long enough for a reservation to reach that age."""
_READS_WITHOUT_AGE: Final = 7
"""Reads before a reservation from the future is voided: the sender's clock is ahead, so that it has no age."""


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """A sequence number and a timestamp that belong to one message.

    Args:
        reservation_id: the id under which it is pending: in a direct conversation the message's `send_key`.
        timestamp: milliseconds since the epoch, increasing with the sequence number.
        reserved_at: milliseconds since the epoch by the sender's clock.
        is_direct: of a direct conversation.
    """

    conversation_id: str
    reservation_id: str
    seq: int
    timestamp: int
    reserved_at: int
    is_direct: bool = False


class ChangeReservation(msgspec.Struct, frozen=True, kw_only=True):
    """A change number that belongs to one edit or deletion.

    Args:
        reservation_id: the id under which it is pending.
        reserved_at: milliseconds since the epoch by the clock of the request.
        is_direct: of a direct conversation.
    """

    conversation_id: str
    reservation_id: str
    change: int
    reserved_at: int
    is_direct: bool = False


class Refusal(Enum):
    """Why a number was not reserved."""

    CHANGED = "the conversation has changed since it was read"
    CONTENDED = "a transaction is in progress on the counter"


class Counter(msgspec.Struct, frozen=True, kw_only=True):
    """The counter of a conversation.

    The numbers of edits and deletions are reserved in the same way as those of messages, and voided in the same way.

    Args:
        latest_seq: greatest reserved sequence number.
        last_timestamp: greatest reserved timestamp, in milliseconds since the epoch.
        receipts_due_at: when the last window of read marks is due, in milliseconds since the epoch; 0 without one.
        latest_change: greatest reserved change number; None where a group's counter has none yet.
    """

    latest_seq: int
    last_timestamp: int
    pending: tuple[Reservation, ...] = ()
    receipts_due_at: int = 0
    latest_change: int | None = None
    pending_changes: tuple[ChangeReservation, ...] = ()

    @classmethod
    def of_direct(cls, state: ConversationState) -> Counter:
        """Return the counter of a direct conversation, which is part of it."""
        last_message = from_iso(state.last_message_at) if state.last_message_at else 0
        return cls(
            latest_seq=state.latest_seq,
            last_timestamp=max(state.last_timestamp, last_message),
            pending=tuple(
                Reservation(
                    conversation_id=state.conversation_id,
                    reservation_id=reservation_id,
                    seq=seq,
                    timestamp=timestamp,
                    reserved_at=timestamp,
                    is_direct=True,
                )
                for reservation_id, (seq, timestamp) in state.pending.items()
            ),
            latest_change=state.latest_change,
            pending_changes=pending_changes(state.conversation_id, state.pending_changes, is_direct=True),
        )


class SequenceCounter(Protocol):
    """The counters of conversations."""

    def reserve(self, conversation: ConversationState, now: int, send_key: str) -> Reservation | Refusal:
        """Reserve the next number, on condition that the conversation has not changed since it was read.

        In a direct conversation, whose version a block changes, this orders the message before or after the block. The
        number of an earlier attempt that is still pending under the same `send_key` is used again.
        """
        ...

    def reserve_unread(self, conversation_id: str, sender_id: str, now: int) -> tuple[Reservation, int] | None:
        """Reserve the next number of a group that is being read at the same time.

        Returns:
            The reservation, and the version that the group has; None where the counter does not list the sender as a
            member, or has none reserved for another reason.
        """
        ...

    def align(self, conversation: ConversationState) -> None:
        """Give a group's counter the conversation's version, if the conversation has not changed since it was read.

        Changes of a group write both in one transaction. They differ only after a restore of one of the tables.
        """
        ...

    def settle(self, reservation: Reservation, message: Message) -> None:
        """End the reservation of a stored message."""
        ...

    def void(self, reservation: Reservation) -> None:
        """Store a placeholder unless the message is accepted, and end the reservation."""
        ...

    def read(self, conversation: ConversationState) -> Counter:
        """Read a counter consistently; create it where a group has none yet."""
        ...


class ChangeCounter(Protocol):
    """The change numbers in the counters of conversations."""

    def reserve(self, conversation: ConversationState, now: int) -> ChangeReservation | Refusal:
        """Reserve the next change number, on condition that the conversation has not changed since it was read."""
        ...

    def settle(self, reservation: ChangeReservation) -> None:
        """End the reservation of a stored change."""
        ...

    def void(self, reservation: ChangeReservation) -> None:
        """Store a placeholder unless the change is stored, and end the reservation."""
        ...


class NumberedConversations(msgspec.Struct, frozen=True):
    """Reads conversations with the greatest reserved number of a group, which may not be stored yet."""

    conversations: ConversationReader
    counter: SequenceCounter

    def read(self, conversation_id: str) -> ConversationState | None:
        """Read a conversation; None where it does not exist."""
        state = self.conversations.read(conversation_id)
        if state is None or not state.is_group:
            return state
        counter = self.counter.read(state)
        return replace(state, latest_seq=counter.latest_seq, receipts_due_at=counter.receipts_due_at)


class SettledNumbers(msgspec.Struct, frozen=True):
    """Finds the numbers up to which every message and every change of a conversation is stored."""

    counter: SequenceCounter
    changes: ChangeCounter
    clock: Clock

    def of(self, state: ConversationState) -> ConversationState:
        """Return the conversation with the greatest numbers up to which all messages and changes are stored.

        They are at least the greatest ones that were reserved when this was called: earlier reservations that are
        still pending are waited for, and voided if their request does not finish.

        Raises:
            UnavailableError: reservations stayed pending.
        """
        if not state.is_group and not state.last_timestamp and not state.pending_changes:
            return state  # only the previous application has stored messages, which have no numbers
        counter = self.counter.read(state) if state.is_group else Counter.of_direct(state)
        wanted, wanted_change = counter.latest_seq, counter.latest_change or 0
        for attempt in attempts(self.clock, _READS):
            if attempt:
                counter = self.counter.read(state)
            pending = [each for each in counter.pending if each.seq <= wanted]
            changes = [each for each in counter.pending_changes if each.change <= wanted_change]
            if not pending and not changes:
                return replace(
                    state,
                    latest_seq=_settled(counter),
                    latest_change=_settled_change(counter, state.latest_change),
                    newest_before=_bound(counter),
                )
            for reservation in pending:
                if self._expired(reservation.reserved_at, attempt):
                    _log.warning("voiding number %d of %s", reservation.seq, reservation.conversation_id)
                    self._void(partial(self.counter.void, reservation))
            for change in changes:
                if self._expired(change.reserved_at, attempt):
                    _log.warning("voiding change number %d of %s", change.change, change.conversation_id)
                    self._void(partial(self.changes.void, change))
        raise UnavailableError("the newest messages are being written just now; try again")

    def _expired(self, reserved_at: int, attempt: int) -> bool:
        age = self.clock.now() - reserved_at
        return age >= VOID_AFTER_MS or (age < 0 and attempt >= _READS_WITHOUT_AGE)

    @staticmethod
    def _void(void: Callable[[], None]) -> None:
        try:
            void()
        except (UnavailableError, OutcomeUnknownError):
            _log.exception("voiding failed; will retry")


def pending_changes(
    conversation_id: str, pending: Mapping[str, int], *, is_direct: bool
) -> tuple[ChangeReservation, ...]:
    """Return the pending change numbers of a counter, from the numbers by reservation."""
    return tuple(
        ChangeReservation(
            conversation_id=conversation_id,
            reservation_id=reservation_id,
            change=change,
            reserved_at=int(reservation_id.partition("-")[0]),
            is_direct=is_direct,
        )
        for reservation_id, change in pending.items()
    )


def send_key(sender_id: str, temp_id: str | None, message_id: str) -> str:
    """Return the key of a send within its conversation: the same for each attempt with the same tempId."""
    return f"{sender_id}#{temp_id or message_id}"


def _settled(counter: Counter) -> int:
    return min((each.seq for each in counter.pending), default=counter.latest_seq + 1) - 1


def _settled_change(counter: Counter, stored: int) -> int:
    if counter.latest_change is None:
        return stored
    return min((each.change for each in counter.pending_changes), default=counter.latest_change + 1) - 1


def _bound(counter: Counter) -> str | None:
    """Return the timestamp above all settled messages and at or below all others; None before the first message."""
    if counter.pending:
        return to_iso(min(each.timestamp for each in counter.pending))
    return to_iso(counter.last_timestamp + 1) if counter.last_timestamp else None
