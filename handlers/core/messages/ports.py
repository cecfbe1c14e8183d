"""The stores of the message operations. See `handlers.core.delivery.ports` for the meaning of a write's failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Literal, Protocol

import msgspec

from contract.models import Message
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.rules import StoredMessage


class ConversationReader(Protocol):
    """Reads conversations."""

    def read(self, conversation_id: str) -> ConversationState | None:
        """Read a conversation consistently; None where it does not exist."""
        ...


class MessageFinder(Protocol):
    """Finds messages by their id."""

    def find(self, message_id: str) -> StoredMessage | None:
        """Return the message with an id. The index is eventually consistent: it may miss a new message."""
        ...


class MessageWriteStatus(Enum):
    """The outcome of a conditional write."""

    STORED = "stored"
    DUPLICATE = "the same write was stored before"
    RATE_LIMITED = "the sender's rate limit is used up"
    CONFLICT = "the conversation has changed since it was read"
    TIMESTAMP_TAKEN = "another message has this timestamp"
    NO_MEMBER = "the sender has no membership"
    READ_AHEAD = "the sender's read mark is beyond the message"
    CONTENDED = "another transaction is in progress on the same items"
    DELETED = "the message has been deleted since it was read"


class MessageWriteResult(msgspec.Struct, frozen=True):
    """The status of a write.

    Args:
        conversation: after CONFLICT, the present conversation; None where it was deleted.
        message: after DELETED, the present message; None where it is gone.
    """

    status: MessageWriteStatus
    conversation: ConversationState | None = None
    message: StoredMessage | None = None


class NewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to store: everything that one transaction writes.

    Args:
        conversation: the conversation before the message. In a direct conversation the write fails if it has changed
            since.
        hidden_from: participants from whom the message is hidden.
        record: the outbox record of the message's event.
        now: milliseconds since the epoch, for the rate limit's window.
        membership: what the write of a group's message is conditional on: `member`, the membership, whose read mark is
            moved; `ahead`, the membership, whose read mark stays, since it is beyond the message; `conversation`, the
            version of a conversation of the old application, which stored no memberships.
    """

    conversation: ConversationState
    message: Message
    temp_id: str | None
    hidden_from: frozenset[str]
    record: OutboxRecord
    now: int
    membership: Literal["member", "ahead", "conversation"] = "member"


class MessageStore(Protocol):
    """Stores sent messages."""

    def find_by_temp_id(self, sender_id: str, conversation_id: str, temp_id: str) -> StoredMessage | None:
        """Read the message that was accepted with a tempId, consistently; None where there is none."""
        ...

    def store(self, new: NewMessage) -> MessageWriteResult:
        """Store a message in one transaction with its tempId, its event and the rate limit.

        In a direct conversation the transaction also changes the conversation; in a group it checks the membership.

        DUPLICATE means that a message with the same tempId was accepted before; RATE_LIMITED, that none was.
        """
        ...

    def show_newest(self, message: Message) -> None:
        """Write a group's newest message into its conversation; nothing if it shows the same or a newer one.

        The clients of the previous application read it there; no route does.
        """
        ...


class ChangeKind(Enum):
    """The kinds of changes of a sent message."""

    EDIT = "EDIT"
    DELETE = "DELETE"


class MessageChange(msgspec.Struct, frozen=True, kw_only=True):
    """An edit or deletion to store.

    Args:
        conversation: the conversation before the change; the write fails if it has changed since.
        message: the message after the change.
        hidden_from: participants from whom the message is hidden after the change.
        change: the change number.
        changed_at: ISO date.
        record: the outbox record of the change's event.
        now: milliseconds since the epoch.
    """

    kind: ChangeKind
    conversation: ConversationState
    message: Message
    hidden_from: frozenset[str]
    change: int
    changed_by: str
    changed_at: str
    record: OutboxRecord
    now: int


class MessageChangeStore(Protocol):
    """Stores edits and deletions."""

    def apply(self, change: MessageChange) -> MessageWriteResult:
        """Store an edit or deletion in one transaction with its change number and its event."""
        ...


class ReadMark(msgspec.Struct, frozen=True, kw_only=True):
    """How far a participant has read.

    Args:
        has_hidden: some messages are hidden from the participant, so that sequence numbers alone do not give the
            number of unread messages.
        read_at: when a request last moved the mark, in milliseconds since the epoch; 0 if none did.
        count: moves in the rate limit's window that contains `read_at`.
    """

    last_read_seq: int
    has_hidden: bool
    read_at: int = 0
    count: int = 0


class ReadMarkMove(msgspec.Struct, frozen=True, kw_only=True):
    """A move of a read mark to store.

    Args:
        seq: the new read mark.
        read_at: milliseconds since the epoch.
        count: moves in the rate limit's window, with this one.
        from_seq: the read mark before the moves that are published together; None leaves the stored one.
        record: the outbox record of the event; None where the mark is collected with others.
    """

    seq: int
    read_at: int
    count: int
    from_seq: int | None = None
    record: OutboxRecord | None = None


class ReadMarkStore(Protocol):
    """Reads and moves read marks."""

    def read_mark(self, user_id: str, conversation_id: str) -> ReadMark | None:
        """Read a participant's read mark consistently; None where the old application stored none."""
        ...

    def advance(self, conversation: ConversationState, user_id: str, move: ReadMarkMove) -> MessageWriteStatus:
        """Move a participant's read mark forward, in one transaction with its event if there is one.

        DUPLICATE if it is at or beyond that number; CONFLICT if the user is no longer a participant.
        """
        ...

    def count_visible(self, conversation_id: str, user_id: str, after_seq: int) -> int:
        """Count the messages above a sequence number that a participant may see."""
        ...


class TypingUse(Enum):
    """What becomes of a typing event."""

    PUBLISHED = "the event is published"
    REPEATED = "the same event was published a moment ago"
    REFUSED = "the user's rate limit is used up"


class TypingRates(Protocol):
    """Limits typing events: by user, and by user, conversation and kind."""

    def count(self, user_id: str, conversation_id: str, now: int, *, typing: bool) -> TypingUse:
        """Count one typing event of a user.

        Args:
            user_id: the user who types.
            conversation_id: where.
            now: milliseconds since the epoch.
            typing: whether the user started or stopped; both are limited apart.
        """
        ...


class HistoryStore(Protocol):
    """Reads many messages, changes and read marks of one conversation."""

    def newest(self, conversation_id: str, before: str | None, limit: int) -> Sequence[StoredMessage]:
        """Read messages consistently, newest first; only messages older than a timestamp, if one is given.

        Fewer than `limit` messages mean that there are no more.
        """
        ...

    def changes(self, conversation_id: str, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """Read (change number, timestamp of the message) of the changes above a number, consistently, in order."""
        ...

    def messages_at(self, conversation_id: str, timestamps: Sequence[str]) -> Sequence[StoredMessage]:
        """Read the messages with these timestamps consistently, in any order."""
        ...

    def read_marks(self, conversation_id: str, user_ids: Sequence[str]) -> Mapping[str, int]:
        """Return the last read sequence number of each of these participants."""
        ...
