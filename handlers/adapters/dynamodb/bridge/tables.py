"""The tables of the bridge."""

from __future__ import annotations

import msgspec

from handlers.core.messages.conversation_state import ConversationState


class BridgeTables(msgspec.Struct, frozen=True, kw_only=True):
    """Names of the tables that the bridge reads and writes."""

    conversations: str
    counters: str
    members: str
    messages: str
    outbox: str

    def counters_of(self, conversation: ConversationState) -> str:
        """Return the table that holds the counter of a conversation."""
        return self.counters if conversation.is_group else self.conversations
