"""Reading single messages."""

from __future__ import annotations

from typing import Any

from contract import tables
from handlers.adapters.dynamodb.client import reading
from handlers.adapters.dynamodb.codec import from_item, to_item
from handlers.core.messages.rules import StoredMessage

_INDEX = tables.MESSAGES.indexes[0].name


class DynamoMessageFinder:
    """Finds messages by their id (`handlers.core.messages.ports.MessageFinder`), or reads them by their key."""

    def __init__(self, client: Any, messages_table: str) -> None:
        self._client = client
        self._messages = messages_table

    def find(self, message_id: str) -> StoredMessage | None:
        """Return the message with an id. The index may be a moment behind, in both directions."""
        with reading("the message"):
            answer = self._client.query(
                TableName=self._messages,
                IndexName=_INDEX,
                KeyConditionExpression="messageId = :id",
                ExpressionAttributeValues=to_item({":id": message_id}),
                Limit=1,
            )
        return StoredMessage.of(from_item(answer["Items"][0])) if answer["Items"] else None

    def at(self, conversation_id: str, timestamp: str) -> StoredMessage | None:
        """Read a message by its key, consistently."""
        with reading("the message"):
            answer = self._client.get_item(
                TableName=self._messages, Key=message_key(conversation_id, timestamp), ConsistentRead=True
            )
        return StoredMessage.of(from_item(answer["Item"])) if "Item" in answer else None


def message_key(conversation_id: str, timestamp: str) -> dict[str, Any]:
    """Return a message's key as the wire has it."""
    return to_item({"conversationId": conversation_id, "timestamp": timestamp})
