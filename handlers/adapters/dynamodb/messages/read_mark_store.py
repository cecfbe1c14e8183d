"""Reads and moves read marks."""

from __future__ import annotations

import uuid
from typing import Any

from handlers.adapters.dynamodb.client import write_single
from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.conversations.reader import conversation_key
from handlers.adapters.dynamodb.messages.history_store import count_visible_messages
from handlers.adapters.dynamodb.messages.members import member_update
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.dynamodb.reads import get_item
from handlers.adapters.dynamodb.transactions import CancellationReason, TransactionCancelledError, transact
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import MessageWriteStatus, ReadMark, ReadMarkMove, ReadMarkStore

_ALL_OLD = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
_BELOW = "(attribute_not_exists(lastReadSeq) OR lastReadSeq < :lastReadSeq)"


class DynamoReadMarkStore(ReadMarkStore):
    """Reads and moves read marks in the ConversationMembers table. The arguments are table names."""

    def __init__(self, client: Any, *, conversations: str, messages: str, members: str, outbox: str) -> None:
        self._client = client
        self._conversations = conversations
        self._messages = messages
        self._members = members
        self._outbox = outbox

    def read_mark(self, user_id: str, conversation_id: str) -> ReadMark | None:
        key = {"userId": user_id, "conversationId": conversation_id}
        member = get_item(self._client, self._members, key, "the read mark")
        if member is None:
            return None
        return ReadMark(
            last_read_seq=member.get("lastReadSeq") or 0,
            has_hidden=bool(member.get("hasHidden")),
            read_at=member.get("readAt") or 0,
            count=member.get("readCount") or 0,
        )

    def advance(self, conversation: ConversationState, user_id: str, move: ReadMarkMove) -> MessageWriteStatus:
        update = self._update(conversation, user_id, move)
        update["ConditionExpression"] = f"attribute_exists(userId) AND {_BELOW}"
        if move.record is None:
            return self._advance_alone(conversation, user_id, move, update)
        reasons = self._write([{"Update": {**update, **_ALL_OLD}}, outbox_put(self._outbox, move.record)])
        if reasons is None:
            return MessageWriteStatus.STORED
        if not reasons[0].condition_failed:
            return MessageWriteStatus.CONTENDED
        if reasons[0].item is not None:
            return MessageWriteStatus.DUPLICATE
        return self._create(conversation, user_id, move)

    def _advance_alone(
        self, conversation: ConversationState, user_id: str, move: ReadMarkMove, update: dict[str, Any]
    ) -> MessageWriteStatus:
        """Move a mark by a single update, which takes one write unit; a transaction takes two for each item."""
        if write_single(lambda: self._client.update_item(**update), "the read mark") is not None:
            return MessageWriteStatus.STORED
        if self.read_mark(user_id, conversation.conversation_id) is not None:
            return MessageWriteStatus.DUPLICATE
        return self._create(conversation, user_id, move)

    def _update(self, conversation: ConversationState, user_id: str, move: ReadMarkMove) -> dict[str, Any]:
        values = {"lastReadSeq": move.seq, "readAt": move.read_at, "readCount": move.count}
        if move.from_seq is not None:
            values["readFromSeq"] = move.from_seq
        return member_update(self._members, conversation, user_id, values)

    def _create(self, conversation: ConversationState, user_id: str, move: ReadMarkMove) -> MessageWriteStatus:
        """Create the item of a participant who has none, as in conversations of the old application.

        A user who was removed has none either; the conversation, in the same transaction, distinguishes the two.
        """
        update = self._update(conversation, user_id, move)
        update["ConditionExpression"] = _BELOW
        participant = {
            "TableName": self._conversations,
            "Key": conversation_key(conversation.conversation_id),
            "ConditionExpression": "contains(participants, :user)",
            "ExpressionAttributeValues": to_item({":user": user_id}),
        }
        event = [outbox_put(self._outbox, move.record)] if move.record is not None else []
        reasons = self._write([{"ConditionCheck": participant}, {"Update": update}, *event])
        if reasons is None:
            return MessageWriteStatus.STORED
        if reasons[0].condition_failed:
            return MessageWriteStatus.CONFLICT
        return MessageWriteStatus.DUPLICATE if reasons[1].condition_failed else MessageWriteStatus.CONTENDED

    def _write(self, actions: list[dict[str, Any]]) -> list[CancellationReason] | None:
        """Run a transaction; return the reasons if it was cancelled."""
        try:
            transact(self._client, actions, str(uuid.uuid4()), "the read mark")
        except TransactionCancelledError as cancelled:
            return cancelled.reasons
        return None

    def count_visible(self, conversation_id: str, user_id: str, after_seq: int) -> int:
        return count_visible_messages(self._client, self._messages, conversation_id, user_id, after_seq)
