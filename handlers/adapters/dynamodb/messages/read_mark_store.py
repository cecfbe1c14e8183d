"""Reads and moves read marks."""

from __future__ import annotations

import uuid
from typing import Any

from handlers.adapters.dynamodb.messages.history_store import count_visible_messages
from handlers.adapters.dynamodb.messages.members import member_update
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.dynamodb.reads import get_item
from handlers.adapters.dynamodb.transactions import TransactionCancelledError, transact
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import MessageWriteStatus, ReadMark, ReadMarkStore


class DynamoReadMarkStore(ReadMarkStore):
    """Reads and moves read marks in the ConversationMembers table. The arguments are table names."""

    def __init__(self, client: Any, messages: str, members: str, outbox: str) -> None:
        self._client = client
        self._messages = messages
        self._members = members
        self._outbox = outbox

    def read_mark(self, user_id: str, conversation_id: str) -> ReadMark | None:
        key = {"userId": user_id, "conversationId": conversation_id}
        member = get_item(self._client, self._members, key, "the read mark")
        if member is None:
            return None
        return ReadMark(last_read_seq=member.get("lastReadSeq") or 0, has_hidden=bool(member.get("hasHidden")))

    def advance(
        self, conversation: ConversationState, user_id: str, seq: int, record: OutboxRecord
    ) -> MessageWriteStatus:
        update = member_update(self._members, conversation, user_id, {"lastReadSeq": seq})
        update["ConditionExpression"] = "attribute_not_exists(lastReadSeq) OR lastReadSeq < :lastReadSeq"
        actions = [{"Update": update}, outbox_put(self._outbox, record)]
        try:
            transact(self._client, actions, str(uuid.uuid4()), "the read mark")
        except TransactionCancelledError as cancelled:
            beyond = cancelled.reasons[0].condition_failed
            return MessageWriteStatus.DUPLICATE if beyond else MessageWriteStatus.CONTENDED
        return MessageWriteStatus.STORED

    def count_visible(self, conversation_id: str, user_id: str, after_seq: int) -> int:
        return count_visible_messages(self._client, self._messages, conversation_id, user_id, after_seq)
