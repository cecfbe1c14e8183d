"""The stores and the queue of the bridge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from contract.models import Message
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.rules import StoredMessage


class FoundMessage(msgspec.Struct, frozen=True, kw_only=True):
    """An item of the table Messages.

    Args:
        key: its timestamp as stored, which is its sort key.
        attributes: all of its attributes.
        message: the message; None where attributes are missing or have another type, as in items that a failed
            deletion of the old application has left.
    """

    conversation_id: str
    key: str
    attributes: Mapping[str, Any]
    message: StoredMessage | None

    @property
    def numbered(self) -> bool:
        """Return whether the message has a sequence number."""
        return "seq" in self.attributes


class CounterState(msgspec.Struct, frozen=True):
    """The greatest reserved number of a conversation, and its timestamp in milliseconds since the epoch."""

    latest_seq: int
    last_timestamp: int
    pending: Sequence[int] = ()


class NumberedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the old server with its number, and everything that is written with it.

    Args:
        found: the message as stored.
        message: with sequence number; its timestamp differs from the stored one where it must move.
        known: the counter as read.
        hidden_from: participants who have blocked the sender.
        record: the outbox record of its event.
    """

    conversation: ConversationState
    found: FoundMessage
    message: Message
    known: CounterState
    hidden_from: frozenset[str]
    record: OutboxRecord

    @property
    def moved(self) -> bool:
        """Return whether the message gets another sort key."""
        return self.message.timestamp != self.found.key


class OldMessageStore(Protocol):
    """Numbers messages of the old server."""

    def find(self, conversation_id: str, timestamp: str) -> FoundMessage | None:
        """Read an item of the table Messages consistently."""
        ...

    def counter(self, conversation: ConversationState) -> CounterState:
        """Read the counter of a conversation consistently; create it where it has none yet."""
        ...

    def number(self, numbered: NumberedMessage) -> bool:
        """Store number, timestamp, counter and outbox record in one transaction.

        Returns:
            False where nothing was stored: the message or the counter has changed since it was read.
        """
        ...


class OldConversations(Protocol):
    """Conversations that the old application created."""

    def store_members(self, conversation: ConversationState) -> bool:
        """Store the memberships that are missing, so that the participants' lists show the conversation.

        Returns:
            False where they were stored before.
        """
        ...


class ForwardPosition(msgspec.Struct, frozen=True):
    """Up to which message a conversation is forwarded to the old server: sequence number and timestamp."""

    seq: int
    timestamp: str


class ForwardedMessage(msgspec.Struct, frozen=True):
    """A stored message in the order of sequence numbers.

    Args:
        bridged: the old server has stored it, so its clients have it.
        attributes: the attributes that the old application's clients know.
    """

    stored: StoredMessage
    bridged: bool
    attributes: Mapping[str, Any]


class ForwardStore(Protocol):
    """Reads what is to be forwarded, and records what was."""

    def position(self, conversation: ConversationState) -> ForwardPosition | None:
        """Read the position consistently; None before the first message."""
        ...

    def following(self, conversation_id: str, timestamp: str, limit: int) -> Sequence[ForwardedMessage]:
        """Read the numbered messages after a timestamp consistently, oldest first."""
        ...

    def advance(self, conversation: ConversationState, position: ForwardPosition) -> None:
        """Record a position; nothing where a later one is recorded."""
        ...


class OldServerQueue(Protocol):
    """The queue that the old server reads. It keeps the order of a conversation."""

    def send(self, conversation_id: str, message: ForwardedMessage, recipients: Sequence[str]) -> None:
        """Queue one message.

        Raises:
            UnavailableError: the queue did not accept it.
        """
        ...
