"""Reads many messages, changes and read marks of one conversation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from contract.limits import HIDDEN_MESSAGES_EXAMINED
from handlers.adapters.dynamodb.client import reading
from handlers.adapters.dynamodb.codec import from_item, to_item
from handlers.adapters.dynamodb.reads import batch_get
from handlers.core.messages.ports import HistoryStore
from handlers.core.messages.rules import StoredMessage

_COUNT_PAGE = 100


class DynamoHistoryStore(HistoryStore):
    """Reads the tables Messages, MessageChanges and ConversationMembers. The arguments are table names."""

    def __init__(self, client: Any, messages: str, changes: str, members: str) -> None:
        self._client = client
        self._messages = messages
        self._changes = changes
        self._members = members

    def newest(self, conversation_id: str, before: str | None, limit: int) -> Sequence[StoredMessage]:
        return newest_messages(self._client, self._messages, conversation_id, before, limit)

    def changes(self, conversation_id: str, after: int, limit: int) -> Sequence[tuple[int, str]]:
        request = {
            "TableName": self._changes,
            "KeyConditionExpression": "conversationId = :id AND #change > :after",
            "ProjectionExpression": "#change, #timestamp",
            "ExpressionAttributeNames": {"#change": "change", "#timestamp": "timestamp"},
            "ExpressionAttributeValues": to_item({":id": conversation_id, ":after": after}),
        }
        rows = _query(self._client, request, limit, "the changes")
        return [(row["change"], row.get("timestamp", "")) for row in rows]

    def messages_at(self, conversation_id: str, timestamps: Sequence[str]) -> Sequence[StoredMessage]:
        keys = [{"conversationId": conversation_id, "timestamp": timestamp} for timestamp in timestamps]
        return [StoredMessage.of(row) for row in batch_get(self._client, self._messages, keys, "the messages")]

    def read_marks(self, conversation_id: str, user_ids: Sequence[str]) -> Mapping[str, int]:
        keys = [{"userId": user_id, "conversationId": conversation_id} for user_id in user_ids]
        rows = batch_get(self._client, self._members, keys, "the members", ("userId", "lastReadSeq"))
        marks = {row["userId"]: row.get("lastReadSeq") or 0 for row in rows}
        return {user_id: marks.get(user_id, 0) for user_id in user_ids}


def newest_messages(
    client: Any, table: str, conversation_id: str, before: str | None, limit: int
) -> list[StoredMessage]:
    """Read messages consistently, newest first; only messages older than a timestamp, if one is given.

    Fewer than `limit` messages mean that there are no more.
    """
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "conversationId = :id",
        "ExpressionAttributeValues": to_item({":id": conversation_id, ":before": before}),
        "ScanIndexForward": False,
    }
    if before is not None:
        request["KeyConditionExpression"] += " AND #timestamp < :before"
        request["ExpressionAttributeNames"] = {"#timestamp": "timestamp"}
    return [StoredMessage.of(row) for row in _query(client, request, limit, "the messages")]


def count_visible_messages(client: Any, table: str, conversation_id: str, user_id: str, after_seq: int) -> int:
    """Count the messages above a sequence number that a participant may see, consistently.

    Only the newest `HIDDEN_MESSAGES_EXAMINED` messages are read.
    """
    counted = 0
    before: str | None = None
    for _ in range(0, HIDDEN_MESSAGES_EXAMINED, _COUNT_PAGE):
        rows = newest_messages(client, table, conversation_id, before, _COUNT_PAGE)
        new = [row for row in rows if (row.message.seq or 0) > after_seq]
        counted += sum(row.visible_to(user_id) for row in new)
        if len(new) < len(rows) or len(rows) < _COUNT_PAGE:
            break
        before = rows[-1].message.timestamp
    return counted


def _query(client: Any, request: dict[str, Any], limit: int, what: str) -> Iterator[dict[str, Any]]:
    """Yield up to `limit` items of a consistent query, page by page."""
    request = {**request, "ConsistentRead": True}
    left = limit
    while left > 0:
        with reading(what):
            page = client.query(**request, Limit=left)
        yield from map(from_item, page["Items"])
        left -= len(page["Items"])
        if "LastEvaluatedKey" not in page:
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
