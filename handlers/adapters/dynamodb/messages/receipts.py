"""The windows of read receipts, and what a window's event is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contract.limits import RECEIPT_MESSAGES_MAX
from handlers.adapters.dynamodb.client import write_single
from handlers.adapters.dynamodb.codec import from_item, to_item
from handlers.adapters.dynamodb.messages.history_store import newest_messages
from handlers.adapters.dynamodb.reads import batch_get
from handlers.core.receipts.ports import MovedMark, ReceiptReader, ReceiptWindows

_ATTRIBUTES = ("userId", "lastReadSeq", "readAt", "readFromSeq")


class DynamoReceiptWindows(ReceiptWindows):
    """Keeps the time of a group's window in its counter, which a request reads anyway.

    Args:
        client: the `dynamodb` client.
        counters: name of the table ConversationCounters.
    """

    def __init__(self, client: Any, counters: str) -> None:
        self._client = client
        self._counters = counters

    def open(self, conversation_id: str, until: int, due: int) -> int | None:
        request = {
            "TableName": self._counters,
            "Key": to_item({"conversationId": conversation_id}),
            "UpdateExpression": "SET receiptsDueAt = :due",
            "ConditionExpression": (
                "attribute_exists(latestSeq) AND (attribute_not_exists(receiptsDueAt) OR receiptsDueAt <= :until)"
            ),
            "ExpressionAttributeValues": to_item({":due": due, ":until": until}),
            "ReturnValues": "UPDATED_OLD",
        }
        written = write_single(lambda: self._client.update_item(**request), "the window of read marks")
        if written is None:
            return None
        return int(from_item(written.get("Attributes") or {}).get("receiptsDueAt") or 0)


class DynamoReceiptReader(ReceiptReader):
    """Reads the tables ConversationMembers and Messages. The arguments are table names."""

    def __init__(self, client: Any, *, members: str, messages: str) -> None:
        self._client = client
        self._members = members
        self._messages = messages

    def moved_marks(
        self, conversation_id: str, user_ids: Sequence[str], since: int, until: int
    ) -> Mapping[str, MovedMark]:
        keys = [{"userId": user_id, "conversationId": conversation_id} for user_id in user_ids]
        rows = batch_get(self._client, self._members, keys, "the read marks", _ATTRIBUTES)
        return {
            row["userId"]: MovedMark(
                from_seq=row.get("readFromSeq") or 0, seq=row.get("lastReadSeq") or 0, read_at=row["readAt"]
            )
            for row in rows
            if since <= (row.get("readAt") or 0) < until
        }

    def newest_senders(self, conversation_id: str) -> Sequence[tuple[int, str]]:
        found = newest_messages(self._client, self._messages, conversation_id, None, RECEIPT_MESSAGES_MAX)
        return [(each.message.seq or 0, each.message.senderId) for each in found]
