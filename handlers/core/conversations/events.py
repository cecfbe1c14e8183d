"""The events of conversations, as records for the write of the change that they tell of."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from contract import channels, events
from contract.models import Conversation
from handlers.core.delivery.outbox import outbox_record
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.shared.ports import Clock, Ids


class ConversationEvents(msgspec.Struct, frozen=True):
    """Makes one record per event; its id is made here, once, and stays however often the event is published."""

    clock: Clock
    ids: Ids
    fanout_limit: int

    def created(self, conversation: Conversation, caller: str, recipients: Sequence[str]) -> OutboxRecord:
        """Tell users of a conversation that is new to them.

        Args:
            conversation: as it is after the change; its `updatedAt` is the event's timestamp.
            caller: who made the change.
            recipients: user ids.
        """
        data = events.ConversationData(conversation=conversation, changedBy=caller)
        event = events.ConversationCreated(eventId=self.ids.new(), timestamp=conversation.updatedAt, data=data)
        return self._record(event, recipients)

    def updated(self, conversation: Conversation, caller: str, recipients: Sequence[str]) -> OutboxRecord:
        """Tell members of a change of their conversation. Arguments as for `created`."""
        data = events.ConversationData(conversation=conversation, changedBy=caller)
        event = events.ConversationUpdated(eventId=self.ids.new(), timestamp=conversation.updatedAt, data=data)
        return self._record(event, recipients)

    def removed(self, conversation: Conversation, caller: str, user_id: str) -> OutboxRecord:
        """Tell a user that the conversation, as it is after the change, goes on without them."""
        data = events.ConversationRemovedData(
            conversationId=conversation.conversationId, userId=user_id, removedBy=caller
        )
        event = events.ConversationRemoved(eventId=self.ids.new(), timestamp=conversation.updatedAt, data=data)
        return self._record(event, [user_id])

    def _record(self, event: events.ChatEvent, recipients: Sequence[str]) -> OutboxRecord:
        return outbox_record(channels.CHATS, event, recipients, now=self.clock.now(), fanout_limit=self.fanout_limit)
