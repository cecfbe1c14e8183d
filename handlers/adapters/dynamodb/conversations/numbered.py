"""Reads conversations with the numbers of their counters."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from handlers.adapters.dynamodb.conversations import items
from handlers.adapters.dynamodb.conversations.rows import DynamoConversationRows
from handlers.adapters.dynamodb.reads import batch_get
from handlers.core.conversations.ports import StoredConversation
from handlers.core.messages.rules import StoredMessage

_COUNTED = ("conversationId", "latestSeq", "latestChange", "lastMessageAt", "channelEpoch")


class DynamoNumberedConversations(DynamoConversationRows):
    """Reads conversations; a group's numbers and newest message come from its counter.

    The arguments besides the client are table names.
    """

    def __init__(self, *, client: Any, conversations: str, counters: str, members_table: str, messages: str) -> None:
        super().__init__(client=client, conversations=conversations, members_table=members_table)
        self._counters = counters
        self._messages = messages

    def get(self, conversation_id: str) -> StoredConversation | None:
        stored = super().get(conversation_id)
        return self._numbered({conversation_id: stored})[conversation_id] if stored else None

    def get_many(self, conversation_ids: Collection[str]) -> Mapping[str, StoredConversation]:
        return self._numbered(super().get_many(conversation_ids))

    def _numbered(self, stored: Mapping[str, StoredConversation]) -> Mapping[str, StoredConversation]:
        groups = [each for each, found in stored.items() if found.conversation.type == "GROUP"]
        if not groups:
            return stored
        keys = [{"conversationId": conversation_id} for conversation_id in groups]
        counters = {
            item["conversationId"]: item
            for item in batch_get(self._client, self._counters, keys, "the counters", _COUNTED)
            if "latestSeq" in item
        }
        newest = self._newest(
            {each: item["lastMessageAt"] for each, item in counters.items() if "lastMessageAt" in item}
        )
        return {
            each: items.with_counter(found, counters[each], newest.get(each)) if each in counters else found
            for each, found in stored.items()
        }

    def _newest(self, timestamps: Mapping[str, str]) -> Mapping[str, StoredMessage]:
        """Read the newest message of some groups, so that an edit or deletion of it shows in the list."""
        if not timestamps:
            return {}
        keys = [{"conversationId": each, "timestamp": timestamp} for each, timestamp in timestamps.items()]
        found = batch_get(self._client, self._messages, keys, "the newest messages")
        return {item["conversationId"]: StoredMessage.of(item) for item in found}
