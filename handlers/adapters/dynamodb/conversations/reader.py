"""Reads conversations for the message operations."""

from __future__ import annotations

from typing import Any

from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.reads import get_item
from handlers.core.messages.conversation_cache import ConversationCache
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import ConversationReader


def unchanged(attribute: str, known: int, placeholder: str) -> str:
    """Return the condition that a number of a conversation still has the known value.

    A conversation of the old application has no such number, which reads as 0.
    """
    same = f"{attribute} = {placeholder}"
    return same if known else f"(attribute_not_exists({attribute}) OR {same})"


def conversation_key(conversation_id: str) -> dict[str, Any]:
    """Return the key of a conversation in DynamoDB's format."""
    return to_item({"conversationId": conversation_id})


class DynamoConversationReader(ConversationReader):
    """Reads the Conversations table, and stores what it reads in the cache."""

    def __init__(self, client: Any, table: str, cache: ConversationCache) -> None:
        self._client = client
        self._table = table
        self._cache = cache

    def read(self, conversation_id: str) -> ConversationState | None:
        item = get_item(self._client, self._table, {"conversationId": conversation_id}, "the conversation")
        state = ConversationState.of(item) if item else None
        self._cache.put(conversation_id, state)
        return state
