"""Reading messages in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from handlers.adapters.conversation_reader import DynamoConversationReader
from handlers.adapters.dynamodb import from_item, reading, to_item
from handlers.adapters.message_finder import message_key
from handlers.core import parallel
from handlers.core.contract.limits import BATCH_GET_KEYS_MAX
from handlers.core.errors import UnavailableError
from handlers.core.message_rules import StoredMessage

_COUNTED_AT_ONCE = 100
_BATCH_TRIES = 5


class DynamoHistoryStore(DynamoConversationReader):
    """Reads pages, changes and marks (`handlers.core.message_ports.HistoryStore`)."""

    def __init__(self, client: Any, conversations: str, messages: str, changes: str, members: str) -> None:
        super().__init__(client, conversations)
        self._messages = messages
        self._changes = changes
        self._members = members

    def newest(self, conversation_id: str, before: str | None, limit: int) -> Sequence[StoredMessage]:
        """Return messages, newest first, below a timestamp if given, read consistently."""
        return newest_messages(self._client, self._messages, conversation_id, before, limit)

    def changes(self, conversation_id: str, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """Return (number, timestamp of its message) of the changes after a number, in order, read consistently."""
        request = {
            "TableName": self._changes,
            "KeyConditionExpression": "conversationId = :id AND #change > :after",
            "ProjectionExpression": "#change, #timestamp",
            "ExpressionAttributeNames": {"#change": "change", "#timestamp": "timestamp"},
            "ExpressionAttributeValues": to_item({":id": conversation_id, ":after": after}),
        }
        rows = _query(self._client, request, limit, "the changes")
        return [(row["change"], row["timestamp"]) for row in rows]

    def messages_at(self, conversation_id: str, timestamps: Sequence[str]) -> Sequence[StoredMessage]:
        """Return the messages with these timestamps, read consistently, in any order."""
        keys = [message_key(conversation_id, timestamp) for timestamp in timestamps]
        return [StoredMessage.of(row) for row in batch_get(self._client, self._messages, keys, "the messages")]

    def read_marks(self, conversation_id: str, user_ids: Sequence[str]) -> Mapping[str, int]:
        """Return how far each of these participants has read."""
        keys = [to_item({"userId": user_id, "conversationId": conversation_id}) for user_id in user_ids]
        rows = batch_get(self._client, self._members, keys, "the members")
        marks = {row["userId"]: row.get("lastReadSeq") or 0 for row in rows}
        return {user_id: marks.get(user_id, 0) for user_id in user_ids}


def newest_messages(
    client: Any, table: str, conversation_id: str, before: str | None, limit: int
) -> list[StoredMessage]:
    """Return messages, newest first, below a timestamp if given, read consistently.

    Fewer than `limit` come back only where there are no more.
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
    """Count the messages after a number that a participant may see, read consistently."""
    counted = 0
    before: str | None = None
    while True:
        rows = newest_messages(client, table, conversation_id, before, _COUNTED_AT_ONCE)
        new = [row for row in rows if (row.message.seq or 0) > after_seq]
        counted += sum(row.visible_to(user_id) for row in new)
        if len(new) < len(rows) or len(rows) < _COUNTED_AT_ONCE:
            return counted
        before = rows[-1].message.timestamp


def batch_get(client: Any, table: str, keys: Sequence[dict[str, Any]], what: str) -> list[dict[str, Any]]:
    """Read items by their keys, consistently, as many calls at once as it takes; missing ones are left out.

    Raises:
        UnavailableError: the service left some keys unread, again and again.
    """
    batches = [keys[start : start + BATCH_GET_KEYS_MAX] for start in range(0, len(keys), BATCH_GET_KEYS_MAX)]
    return [row for rows in parallel.each(partial(_batch_get, client, table, what), batches) for row in rows]


def _batch_get(client: Any, table: str, what: str, keys: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    request: dict[str, Any] = {table: {"Keys": list(keys), "ConsistentRead": True}}
    for _ in range(_BATCH_TRIES):
        with reading(what):
            answer = client.batch_get_item(RequestItems=request)
        rows += map(from_item, answer["Responses"].get(table, ()))
        request = answer.get("UnprocessedKeys") or {}
        if not request:
            return rows
    raise UnavailableError(f"{what} could not be read just now; try again")


def _query(client: Any, request: dict[str, Any], limit: int, what: str) -> Iterator[dict[str, Any]]:
    """Yield up to `limit` items of a consistent query, over as many pages as it takes."""
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
