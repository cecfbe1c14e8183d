"""Moving a participant's mark."""

from __future__ import annotations

import uuid
from typing import Any

from handlers.adapters.dynamodb.client import reading
from handlers.adapters.dynamodb.codec import from_item, to_item
from handlers.adapters.dynamodb.conversations.reader import DynamoConversationReader
from handlers.adapters.dynamodb.messages.history_store import count_visible_messages
from handlers.adapters.dynamodb.messages.message_finder import DynamoMessageFinder
from handlers.adapters.dynamodb.messages.read_marks import member_update
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.dynamodb.transactions import TransactionCancelledError, transact
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import MessageWriteResult, MessageWriteStatus, ReadMark


class DynamoReadMarkStore(DynamoConversationReader, DynamoMessageFinder):
    """Reads and moves marks (`handlers.core.messages.ports.ReadStore`)."""

    def __init__(self, client: Any, conversations: str, messages: str, members: str, outbox: str) -> None:
        DynamoConversationReader.__init__(self, client, conversations)
        DynamoMessageFinder.__init__(self, client, messages)
        self._members = members
        self._outbox = outbox

    def membership(self, user_id: str, conversation_id: str) -> ReadMark | None:
        """Read a participant's membership consistently; None where the old application left none."""
        key = to_item({"userId": user_id, "conversationId": conversation_id})
        with reading("the membership"):
            answer = self._client.get_item(TableName=self._members, Key=key, ConsistentRead=True)
        if "Item" not in answer:
            return None
        row = from_item(answer["Item"])
        return ReadMark(last_read_seq=row.get("lastReadSeq") or 0, has_hidden=bool(row.get("hasHidden")))

    def mark(self, state: ConversationState, user_id: str, seq: int, record: OutboxRecord) -> MessageWriteResult:
        """Move a participant's mark forward and store the event; REPLAYED if the mark is there or beyond already."""
        update = member_update(self._members, state, user_id, {"lastReadSeq": seq})
        update["ConditionExpression"] = "attribute_not_exists(lastReadSeq) OR lastReadSeq < :lastReadSeq"
        actions = [{"Update": update}, outbox_put(self._outbox, record)]
        try:
            transact(self._client, actions, str(uuid.uuid4()), "the mark")
        except TransactionCancelledError as cancelled:
            return MessageWriteResult(
                MessageWriteStatus.REPLAYED if cancelled.reasons[0].refused else MessageWriteStatus.CONTENDED
            )
        return MessageWriteResult(MessageWriteStatus.STORED)

    def count_visible(self, conversation_id: str, user_id: str, after_seq: int) -> int:
        """Count the messages after a number that a participant may see."""
        return count_visible_messages(self._client, self._messages, conversation_id, user_id, after_seq)
