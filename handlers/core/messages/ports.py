"""The stores of the message operations. See `handlers.core.delivery.ports` for what a write's failures mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Protocol

import msgspec

from contract.models import Message
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.rules import StoredMessage


class ConversationReader(Protocol):
    """Reads conversations."""

    def read(self, conversation_id: str) -> ConversationState | None:
        """Read a conversation consistently."""
        ...

    def recall(self, conversation_id: str) -> ConversationState | None:
        """Return what this process last knew of a conversation, which may be out of date; None if nothing."""
        ...


class MessageFinder(Protocol):
    """Finds messages by their id."""

    def find(self, message_id: str) -> StoredMessage | None:
        """Return the message with an id. The index may be a moment behind, in both directions."""
        ...


class MessageWriteStatus(Enum):
    """What became of a write that depends on what it knew."""

    STORED = "stored"
    REPLAYED = "the tempId was accepted before"
    EXHAUSTED = "the rate limit is used up"
    CONFLICT = "the conversation has changed since it was read"
    TIMESTAMP_TAKEN = "another message has this timestamp"
    CONTENDED = "another transaction is under way"
    DELETED = "the message has been deleted since it was read"


class MessageWriteResult(msgspec.Struct, frozen=True):
    """The status of a write.

    Args:
        state: after CONFLICT, the current conversation; None where it was deleted.
        message: after DELETED, the current message.
    """

    verdict: MessageWriteStatus
    state: ConversationState | None = None
    message: StoredMessage | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A message about to be stored: everything that one transaction writes.

    Args:
        known: the conversation that it builds on; stored only if that is still so.
        now: milliseconds since the epoch, for the rate limit's window.
    """

    known: ConversationState
    message: Message
    temp_id: str | None
    hidden_from: frozenset[str]
    record: OutboxRecord
    now: int


class SendStore(ConversationReader, MessageFinder, Protocol):
    """What sending needs."""

    def replay(self, sender_id: str, conversation_id: str, temp_id: str) -> StoredMessage | None:
        """Return the message that a tempId stands for, read consistently."""
        ...

    def store(self, draft: Draft) -> MessageWriteResult:
        """Store a message with everything that belongs to it, or nothing."""
        ...


class ChangeKind(Enum):
    """What can happen to a message after it was sent."""

    EDIT = "EDIT"
    DELETE = "DELETE"


class MessageChange(msgspec.Struct, frozen=True, kw_only=True):
    """An edit or deletion about to be stored.

    Args:
        known: the conversation that it builds on.
        message: the message as it will be.
        hidden_from: from whom the message is hidden afterwards.
        change: its number in the conversation.
        changed_at: ISO date.
        now: milliseconds since the epoch.
    """

    kind: ChangeKind
    known: ConversationState
    message: Message
    hidden_from: frozenset[str]
    change: int
    changed_by: str
    changed_at: str
    record: OutboxRecord
    now: int


class ChangeStore(ConversationReader, MessageFinder, Protocol):
    """What editing and deleting need."""

    def apply(self, change: MessageChange) -> MessageWriteResult:
        """Store an edit or deletion with its number and its event, or nothing."""
        ...


class ReadMark(msgspec.Struct, frozen=True, kw_only=True):
    """How far one participant has read; `has_hidden` says that numbers alone do not count what is unread."""

    last_read_seq: int
    has_hidden: bool


class ReadStore(ConversationReader, MessageFinder, Protocol):
    """What marking as read needs."""

    def membership(self, user_id: str, conversation_id: str) -> ReadMark | None:
        """Read a participant's membership consistently; None where the old application left none."""
        ...

    def mark(self, state: ConversationState, user_id: str, seq: int, record: OutboxRecord) -> MessageWriteResult:
        """Move a participant's mark forward and store the event; REPLAYED if the mark is there or beyond already."""
        ...

    def count_visible(self, conversation_id: str, user_id: str, after_seq: int) -> int:
        """Count the messages after a number that a participant may see."""
        ...


class HistoryStore(ConversationReader, Protocol):
    """What reading history needs."""

    def newest(self, conversation_id: str, before: str | None, limit: int) -> Sequence[StoredMessage]:
        """Return messages, newest first, below a timestamp if given, read consistently.

        Fewer than `limit` come back only where there are no more.
        """
        ...

    def changes(self, conversation_id: str, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """Return (number, timestamp of its message) of the changes after a number, in order, read consistently."""
        ...

    def messages_at(self, conversation_id: str, timestamps: Sequence[str]) -> Sequence[StoredMessage]:
        """Return the messages with these timestamps, read consistently, in any order."""
        ...

    def read_marks(self, conversation_id: str, user_ids: Sequence[str]) -> Mapping[str, int]:
        """Return how far each of these participants has read."""
        ...
