"""The position up to which each conversation is forwarded to the old server; it is part of the counter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from handlers.adapters.dynamodb.bridge.old_messages import readable_message
from handlers.adapters.dynamodb.bridge.tables import BridgeTables
from handlers.adapters.dynamodb.client import reading, write_single
from handlers.adapters.dynamodb.codec import from_item, to_item
from handlers.adapters.dynamodb.conversations.reader import conversation_key
from handlers.adapters.dynamodb.reads import get_item
from handlers.core.bridge.ports import ForwardedMessage, ForwardPosition, ForwardStore
from handlers.core.messages.conversation_state import ConversationState

_OF_BACKEND: Final = frozenset({"tempId", "hiddenFrom", "bridged", "voided", "latestChange", "deletedChange"})
"""Attributes of a message that clients do not get."""


class DynamoForwardStore(ForwardStore):
    """Reads numbered messages, and stores positions."""

    def __init__(self, client: Any, tables: BridgeTables) -> None:
        self._client = client
        self._tables = tables

    def position(self, conversation: ConversationState) -> ForwardPosition | None:
        key = {"conversationId": conversation.conversation_id}
        item = get_item(self._client, self._tables.counters_of(conversation), key, "the position")
        if item is None or "forwardedSeq" not in item:
            return None
        return ForwardPosition(item["forwardedSeq"], item["forwardedAt"])

    def following(self, conversation_id: str, timestamp: str, limit: int) -> Sequence[ForwardedMessage]:
        request: dict[str, Any] = {
            "TableName": self._tables.messages,
            "KeyConditionExpression": "conversationId = :id AND #timestamp > :timestamp",
            "ExpressionAttributeNames": {"#timestamp": "timestamp"},
            "ExpressionAttributeValues": to_item({":id": conversation_id, ":timestamp": timestamp}),
            "ConsistentRead": True,
            "Limit": limit,
        }
        found: list[ForwardedMessage] = []
        while len(found) < limit:
            with reading("the messages"):
                page = self._client.query(**request)
            found += filter(None, (_forwarded(from_item(item)) for item in page["Items"]))
            if "LastEvaluatedKey" not in page:
                break
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        return found[:limit]

    def advance(self, conversation: ConversationState, position: ForwardPosition) -> None:
        request = {
            "TableName": self._tables.counters_of(conversation),
            "Key": conversation_key(conversation.conversation_id),
            "UpdateExpression": "SET forwardedSeq = :seq, forwardedAt = :at",
            "ConditionExpression": (
                "attribute_exists(conversationId) AND (attribute_not_exists(forwardedSeq) OR forwardedSeq < :seq)"
            ),
            "ExpressionAttributeValues": to_item({":seq": position.seq, ":at": position.timestamp}),
        }
        write_single(lambda: self._client.update_item(**request), "the position")


def _forwarded(item: dict[str, Any]) -> ForwardedMessage | None:
    """Return a numbered message; None of an item without number."""
    stored = readable_message(item) if "seq" in item else None
    if stored is None:
        return None
    shown = {name: value for name, value in item.items() if name not in _OF_BACKEND and not isinstance(value, set)}
    if stored.message.deleted:
        shown |= {"content": None, "mediaUrl": None, "fileName": None}
    return ForwardedMessage(stored, bool(item.get("bridged")), shown)
