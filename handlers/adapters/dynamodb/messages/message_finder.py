"""Finds single messages."""

from __future__ import annotations

from typing import Any, Final

from contract import tables
from handlers.adapters.dynamodb.client import reading
from handlers.adapters.dynamodb.codec import from_item, to_item
from handlers.adapters.dynamodb.messages.history_store import newest_messages
from handlers.adapters.dynamodb.reads import get_item
from handlers.core.messages.ports import MessageFinder
from handlers.core.messages.rules import StoredMessage

_INDEX = tables.MESSAGES.index("MessageIdIndex").name
_NEWEST_EXAMINED: Final = 100
"""How many messages are looked through for one that the index lacks: those of two seconds at 50 a second."""


class DynamoMessageFinder(MessageFinder):
    """Finds messages in the Messages table.

    The index names the message's key only: it lags behind the table (Amazon DynamoDB: global secondary indexes are
    eventually consistent), so that it may lack a new message, and lack an edit, a deletion or a hiding of another one.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def find(self, conversation_id: str, message_id: str) -> StoredMessage | None:
        indexed = self._indexed(message_id)
        if indexed is None:
            newest = newest_messages(self._client, self._table, conversation_id, None, _NEWEST_EXAMINED)
            return next((each for each in newest if each.message.messageId == message_id), None)
        if indexed["conversationId"] != conversation_id:
            return None
        item = get_item(self._client, self._table, indexed, "the message")
        return StoredMessage.of(item) if item and item.get("messageId") == message_id else None

    def _indexed(self, message_id: str) -> dict[str, Any] | None:
        """Return the key that the index has of a message."""
        with reading("the message"):
            answer = self._client.query(
                TableName=self._table,
                IndexName=_INDEX,
                KeyConditionExpression="messageId = :id",
                ExpressionAttributeValues=to_item({":id": message_id}),
                ProjectionExpression="conversationId, #timestamp",
                ExpressionAttributeNames={"#timestamp": "timestamp"},
                Limit=1,
            )
        return from_item(answer["Items"][0]) if answer["Items"] else None


def message_key(conversation_id: str, timestamp: str) -> dict[str, Any]:
    """Return the key of a message in DynamoDB's format."""
    return to_item({"conversationId": conversation_id, "timestamp": timestamp})
