"""Gives the messages of the old server sequence numbers and delivers them to new clients.

The old server stores an item without number and publishes nothing. One transaction takes the next number of the
conversation's counter, writes it into the item and stores the outbox record, so that a message is either untouched or
complete, and a repeat finds it numbered. Numbers and timestamps of a conversation increase together: a message that
was overtaken by one of the backend moves to a later timestamp. Its `createdAt` stays.
"""

from __future__ import annotations

import logging
import uuid
from enum import Enum
from typing import Final

import msgspec

from contract import channels, events
from handlers.core.bridge.ports import FoundMessage, NumberedMessage, OldConversations, OldMessageStore
from handlers.core.delivery.outbox import delivery_tasks, outbox_record
from handlers.core.delivery.ports import DeliveryQueue
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import ConversationReader
from handlers.core.messages.rules import StoredMessage
from handlers.core.shared.errors import UnavailableError
from handlers.core.shared.ports import Clock
from handlers.core.shared.retry import attempts
from handlers.core.shared.timestamps import from_iso, to_iso

_log = logging.getLogger(__name__)
_NAMESPACE: Final = uuid.UUID("6d3f9a52-08f4-5a0b-8a55-0e5d6f0e7c11")
_TRIES: Final = 30
"""Most attempts: in a busy group, senders change the counter several times a second."""


class Outcome(Enum):
    """What was done with an item of the table Messages."""

    NUMBERED = "numbered"
    MOVED = "numbered at a later timestamp"
    KNOWN = "has a number"
    ABSENT = "is gone"
    UNREADABLE = "is no message"
    ORPHAN = "has no conversation"


class OldMessageNumbering(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers messages of the old server.

    Args:
        fanout_limit: events for more recipients are delivered in slices.
    """

    conversations: ConversationReader
    members: OldConversations
    store: OldMessageStore
    queue: DeliveryQueue
    clock: Clock
    fanout_limit: int

    def number(self, conversation_id: str, timestamp: str) -> Outcome:
        """Number one message, unless it has a number, and enqueue its event.

        Args:
            conversation_id, timestamp: its key.

        Raises:
            UnavailableError, OutcomeUnknownError: try again.
        """
        for _ in attempts(self.clock, _TRIES):
            found = self.store.find(conversation_id, timestamp)
            if found is None:
                return Outcome.ABSENT
            if found.numbered:
                return Outcome.KNOWN
            if found.message is None or not _is_date(timestamp):
                return Outcome.UNREADABLE
            conversation = self.conversations.read(conversation_id)
            if conversation is None or not conversation.participants:
                return Outcome.ORPHAN
            self.members.store_members(conversation)
            numbered = self._numbered(conversation, found, found.message)
            if self.store.number(numbered):
                self._enqueue(numbered)
                return Outcome.MOVED if numbered.moved else Outcome.NUMBERED
        raise UnavailableError("too many changes of the conversation at once; the message has no number yet")

    def adopt(self, conversation_id: str) -> bool:
        """Store the missing memberships of a conversation; return whether any was missing."""
        conversation = self.conversations.read(conversation_id)
        return conversation is not None and bool(conversation.participants) and self.members.store_members(conversation)

    def _numbered(self, conversation: ConversationState, found: FoundMessage, stored: StoredMessage) -> NumberedMessage:
        known = self.store.counter(conversation)
        now = self.clock.now()
        kept = from_iso(found.key) > known.last_timestamp
        timestamp = found.key if kept else to_iso(max(now, known.last_timestamp + 1))
        message = msgspec.structs.replace(
            stored.message,
            seq=known.latest_seq + 1,
            timestamp=timestamp,
            createdAt=stored.message.createdAt or found.key,
        )
        hidden_from = conversation.hidden_from(message.senderId)
        event = events.MessageSent(
            eventId=str(uuid.uuid5(_NAMESPACE, message.messageId)),
            timestamp=timestamp,
            data=events.SentMessage(**msgspec.structs.asdict(message)),
        )
        record = outbox_record(
            channels.CHATS,
            event,
            [each for each in conversation.participants if each not in hidden_from],
            now=now,
            fanout_limit=self.fanout_limit,
            audience=None if hidden_from else conversation.conversation_id,
        )
        return NumberedMessage(
            conversation=conversation,
            found=found,
            message=message,
            known=known,
            hidden_from=hidden_from,
            record=record,
        )

    def _enqueue(self, numbered: NumberedMessage) -> None:
        """Enqueue the event at once; what fails here is enqueued by the relay."""
        try:
            self.queue.send(delivery_tasks(numbered.record))
        except Exception:
            _log.exception("enqueueing failed; the relay will deliver event %s", numbered.record.event_id)


def _is_date(timestamp: str) -> bool:
    try:
        from_iso(timestamp)
    except ValueError:
        return False
    return True
