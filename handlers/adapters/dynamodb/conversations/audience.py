"""Reads the participants of a conversation for the delivery of its events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handlers.adapters.dynamodb.conversations.items import stored_conversation
from handlers.adapters.dynamodb.reads import get_item
from handlers.core.delivery.ports import Audiences


class DynamoAudiences(Audiences):
    """Reads the Conversations table."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def participants(self, conversation_id: str) -> Sequence[str]:
        item = get_item(self._client, self._table, {"conversationId": conversation_id}, "the participants")
        return tuple(stored_conversation(item).members) if item else ()
