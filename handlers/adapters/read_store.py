"""Moving a participant's mark."""

from __future__ import annotations

import uuid
from typing import Any

from handlers.adapters.conversation_reader import DynamoConversationReader
from handlers.adapters.dynamodb import TransactionCancelledError, from_item, reading, to_item, transact
from handlers.adapters.history_store import count_visible_messages
from handlers.adapters.memberships import member_update
from handlers.adapters.message_finder import DynamoMessageFinder
from handlers.adapters.outbox import outbox_put
from handlers.core.conversation_state import ConversationState
from handlers.core.message_ports import Membership, Outcome, Verdict
from handlers.core.ports import OutboxRecord


class DynamoReadStore(DynamoConversationReader, DynamoMessageFinder):
    """Reads and moves marks (`handlers.core.message_ports.ReadStore`)."""

    def __init__(self, client: Any, conversations: str, messages: str, members: str, outbox: str) -> None:
        DynamoConversationReader.__init__(self, client, conversations)
        DynamoMessageFinder.__init__(self, client, messages)
        self._members = members
        self._outbox = outbox

    def membership(self, user_id: str, conversation_id: str) -> Membership | None:
        """Read a participant's membership consistently; None where the old application left none."""
        key = to_item({"userId": user_id, "conversationId": conversation_id})
        with reading("the membership"):
            answer = self._client.get_item(TableName=self._members, Key=key, ConsistentRead=True)
        if "Item" not in answer:
            return None
        row = from_item(answer["Item"])
        return Membership(last_read_seq=row.get("lastReadSeq") or 0, has_hidden=bool(row.get("hasHidden")))

    def mark(self, state: ConversationState, user_id: str, seq: int, record: OutboxRecord) -> Outcome:
        """Move a participant's mark forward and store the event; REPLAYED if the mark is there or beyond already."""
        update = member_update(self._members, state, user_id, {"lastReadSeq": seq})
        update["ConditionExpression"] = "attribute_not_exists(lastReadSeq) OR lastReadSeq < :lastReadSeq"
        actions = [{"Update": update}, outbox_put(self._outbox, record)]
        try:
            transact(self._client, actions, str(uuid.uuid4()), "the mark")
        except TransactionCancelledError as cancelled:
            return Outcome(Verdict.REPLAYED if cancelled.reasons[0].refused else Verdict.BUSY)
        return Outcome(Verdict.STORED)

    def count_visible(self, conversation_id: str, user_id: str, after_seq: int) -> int:
        """Count the messages after a number that a participant may see."""
        return count_visible_messages(self._client, self._messages, conversation_id, user_id, after_seq)
