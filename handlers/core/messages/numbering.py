"""Numbers the messages of a group without a lock, so that many members may send at once.

A sender reserves the next sequence number and timestamp by one atomic update of the group's counter, and stores the
message afterwards. Until then the reservation is pending. The message's key is its conversation and timestamp, so that
a reservation whose sender failed can be voided: a placeholder is stored at the same key, on condition that nothing is
stored there. Either the message or the placeholder exists, never both, and no number stays without one of them.

A direct conversation has two senders. Its number is kept in the conversation, and changed in the message's transaction.
"""

from __future__ import annotations

import logging
from enum import Enum
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import ConversationReader
from handlers.core.shared.errors import UnavailableError
from handlers.core.shared.ports import Clock
from handlers.core.shared.retry import attempts
from handlers.core.shared.timestamps import to_iso

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
        reservation_id: the id under which it is pending.
        timestamp: milliseconds since the epoch, increasing with the sequence number.
        reserved_at: milliseconds since the epoch by the sender's clock.
    """

    conversation_id: str
    reservation_id: str
    seq: int
    timestamp: int
    reserved_at: int


class Refusal(Enum):
    """Why a number was not reserved."""

    CHANGED = "the conversation has changed since it was read"
    CONTENDED = "a transaction is in progress on the counter"


class Counter(msgspec.Struct, frozen=True, kw_only=True):
    """The counter of a group.

    Args:
        latest_seq: greatest reserved sequence number.
        last_timestamp: greatest reserved timestamp, in milliseconds since the epoch.
        last_message_at: ISO date of the newest stored message that was settled.
        receipts_due_at: when the last window of read marks is due, in milliseconds since the epoch; 0 without one.
    """

    latest_seq: int
    last_timestamp: int
    pending: tuple[Reservation, ...] = ()
    last_message_at: str | None = None
    receipts_due_at: int = 0


class SequenceCounter(Protocol):
    """The counters of groups."""

    def reserve(self, conversation: ConversationState, now: int) -> Reservation | Refusal:
        """Reserve the next number, on condition that the conversation has not changed since it was read."""
        ...

    def align(self, conversation: ConversationState) -> None:
        """Give a counter the conversation's version, if the conversation has not changed since it was read.

        Changes of a group write both in one transaction. They differ only after a restore of one of the tables.
        """
        ...

    def settle(self, reservation: Reservation) -> None:
        """End the reservation of a stored message."""
        ...

    def void(self, reservation: Reservation) -> None:
        """Store a placeholder unless the message is stored, and end the reservation."""
        ...

    def read(self, conversation_id: str) -> Counter:
        """Read a group's counter consistently; create it where the group has none yet."""
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
        counter = self.counter.read(conversation_id)
        return replace(state, latest_seq=counter.latest_seq, receipts_due_at=counter.receipts_due_at)


class SettledNumbers(msgspec.Struct, frozen=True):
    """Finds the number up to which every message of a conversation is stored."""

    counter: SequenceCounter
    clock: Clock

    def of(self, state: ConversationState) -> ConversationState:
        """Return the conversation with the greatest number up to which all messages are stored.

        That number is at least the greatest one that was reserved when this was called: earlier reservations that are
        still pending are waited for, and voided if their sender does not finish.

        Raises:
            UnavailableError: reservations stayed pending.
        """
        if not state.is_group:
            return state
        counter = self.counter.read(state.conversation_id)
        wanted = counter.latest_seq
        for attempt in attempts(self.clock, _READS):
            if attempt:
                counter = self.counter.read(state.conversation_id)
            pending = [each for each in counter.pending if each.seq <= wanted]
            if not pending:
                return replace(state, latest_seq=_settled(counter), newest_before=_bound(counter))
            for reservation in pending:
                age = self.clock.now() - reservation.reserved_at
                if age >= VOID_AFTER_MS or (age < 0 and attempt >= _READS_WITHOUT_AGE):
                    self._void(reservation)
        raise UnavailableError("the newest messages are being written just now; try again")

    def _void(self, reservation: Reservation) -> None:
        _log.warning("voiding number %d of %s", reservation.seq, reservation.conversation_id)
        try:
            self.counter.void(reservation)
        except UnavailableError:
            _log.exception("voiding failed; will retry")


def _settled(counter: Counter) -> int:
    return min((each.seq for each in counter.pending), default=counter.latest_seq + 1) - 1


def _bound(counter: Counter) -> str | None:
    """Return the timestamp above all settled messages and at or below all others; None before the first message."""
    if counter.pending:
        return to_iso(min(each.timestamp for each in counter.pending))
    return to_iso(counter.last_timestamp + 1) if counter.last_timestamp else None
