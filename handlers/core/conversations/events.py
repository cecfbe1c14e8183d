"""Events about conversations, as outbox records for the transaction of the change."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from contract import channels, events
from contract.models import Conversation
from handlers.core.delivery.outbox import outbox_record
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.shared.ports import Clock, Ids


class ConversationEvents(msgspec.Struct, frozen=True):
    """Creates outbox records. The event id is created here, once; every publish of the event has the same id."""

    clock: Clock
    ids: Ids
    fanout_limit: int

    def created(self, conversation: Conversation, caller: str, recipients: Sequence[str]) -> OutboxRecord:
        """Return the event for users to whom a conversation is new.

        Args:
            conversation: the conversation after the change; its `updatedAt` is the event's timestamp.
            caller: the user who made the change.
            recipients: user ids.
        """
        data = events.ConversationData(conversation=conversation, changedBy=caller)
        event = events.ConversationCreated(eventId=self.ids.new(), timestamp=conversation.updatedAt, data=data)
        return self._record(event, recipients)

    def updated(
        self, conversation: Conversation, caller: str, recipients: Sequence[str], *, to_all: bool = True
    ) -> OutboxRecord:
        """Return the event for members whose conversation changed. Arguments as for `created`.

        Args:
            to_all: the recipients are all members after the change.
        """
        data = events.ConversationData(conversation=conversation, changedBy=caller)
        event = events.ConversationUpdated(eventId=self.ids.new(), timestamp=conversation.updatedAt, data=data)
        return self._record(event, recipients, conversation.conversationId if to_all else None)

    def removed(self, conversation: Conversation, caller: str, user_id: str) -> OutboxRecord:
        """Return the event for a user who is no longer a participant. Arguments as for `created`."""
        data = events.ConversationRemovedData(
            conversationId=conversation.conversationId, userId=user_id, removedBy=caller
        )
        event = events.ConversationRemoved(eventId=self.ids.new(), timestamp=conversation.updatedAt, data=data)
        return self._record(event, [user_id])

    def _record(self, event: events.ChatEvent, recipients: Sequence[str], audience: str | None = None) -> OutboxRecord:
        return outbox_record(
            channels.CHATS,
            event,
            recipients,
            now=self.clock.now(),
            fanout_limit=self.fanout_limit,
            audience=audience,
        )
