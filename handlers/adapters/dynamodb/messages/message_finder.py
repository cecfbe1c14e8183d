"""Finds single messages."""

from __future__ import annotations

from typing import Any

from contract import tables
from handlers.adapters.dynamodb.client import reading
from handlers.adapters.dynamodb.codec import from_item, to_item
from handlers.core.messages.ports import MessageFinder
from handlers.core.messages.rules import StoredMessage

_INDEX = tables.MESSAGES.index("MessageIdIndex").name


class DynamoMessageFinder(MessageFinder):
    """Finds messages in the Messages table."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def find(self, message_id: str) -> StoredMessage | None:
        with reading("the message"):
            answer = self._client.query(
                TableName=self._table,
                IndexName=_INDEX,
                KeyConditionExpression="messageId = :id",
                ExpressionAttributeValues=to_item({":id": message_id}),
                Limit=1,
            )
        return StoredMessage.of(from_item(answer["Items"][0])) if answer["Items"] else None


def message_key(conversation_id: str, timestamp: str) -> dict[str, Any]:
    """Return the key of a message in DynamoDB's format."""
    return to_item({"conversationId": conversation_id, "timestamp": timestamp})
