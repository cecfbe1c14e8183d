"""The one transaction of a send."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from contract import limits
from contract.limits import SEND_RATE
from handlers.adapters.dynamodb.client import reading
from handlers.adapters.dynamodb.codec import from_item, to_item
from handlers.adapters.dynamodb.conversations.reader import DynamoConversationReader, unchanged
from handlers.adapters.dynamodb.messages.message_finder import DynamoMessageFinder
from handlers.adapters.dynamodb.messages.read_marks import member_update
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.dynamodb.rate_limits import rate_update
from handlers.adapters.dynamodb.transactions import Reason, TransactionCancelledError, transact
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import Draft, MessageWriteResult, MessageWriteStatus
from handlers.core.messages.rules import StoredMessage, last_message
from handlers.core.shared.errors import OutcomeUnknownError

_ALL_OLD = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


class SendTables(msgspec.Struct, frozen=True, kw_only=True):
    """Names of the tables that a send writes."""

    conversations: str
    members: str
    messages: str
    idempotency: str
    rate_limits: str
    outbox: str


class DynamoSendStore(DynamoConversationReader, DynamoMessageFinder):
    """Stores messages (`handlers.core.messages.ports.SendStore`)."""

    def __init__(self, client: Any, tables: SendTables) -> None:
        DynamoConversationReader.__init__(self, client, tables.conversations)
        DynamoMessageFinder.__init__(self, client, tables.messages)
        self._tables = tables

    def replay(self, sender_id: str, conversation_id: str, temp_id: str) -> StoredMessage | None:
        """Return the message that a tempId stands for, read consistently."""
        key = to_item({"id": _idempotency_id(sender_id, conversation_id, temp_id)})
        with reading("the tempId"):
            answer = self._client.get_item(TableName=self._tables.idempotency, Key=key, ConsistentRead=True)
        if "Item" not in answer:
            return None
        record = from_item(answer["Item"])
        return self.at(record["conversationId"], record["timestamp"])

    def store(self, draft: Draft) -> MessageWriteResult:
        """Store a message with everything that belongs to it, or nothing."""
        state, message = draft.known, draft.message
        actions = self._actions(draft)
        try:
            transact(self._client, list(actions.values()), str(uuid.uuid4()), "the message")
        except TransactionCancelledError as cancelled:
            reasons = dict(zip(actions, cancelled.reasons, strict=True))
            return self._refused(state.conversation_id, reasons)
        except OutcomeUnknownError:
            self.remember(state.conversation_id, None)
            raise
        after = state.after_message(message.messageId, state.latest_seq + 1, message.timestamp)
        self.remember(state.conversation_id, after)
        return MessageWriteResult(MessageWriteStatus.STORED, after)

    def _refused(self, conversation_id: str, reasons: dict[str, Reason]) -> MessageWriteResult:
        conversation = reasons["conversation"]
        if "idempotency" in reasons and reasons["idempotency"].refused:
            return MessageWriteResult(MessageWriteStatus.REPLAYED)
        if conversation.refused:
            state = ConversationState.of(conversation.item) if conversation.item else None
            self.remember(conversation_id, state)
            return MessageWriteResult(MessageWriteStatus.CONFLICT, state)
        if reasons["rate"].refused:
            return MessageWriteResult(MessageWriteStatus.EXHAUSTED)
        if reasons["message"].refused:
            return MessageWriteResult(MessageWriteStatus.TIMESTAMP_TAKEN)
        return MessageWriteResult(MessageWriteStatus.CONTENDED)

    def _actions(self, draft: Draft) -> dict[str, dict[str, Any]]:
        """Return the actions by name, in the order of the transaction."""
        tables, state, message = self._tables, draft.known, draft.message
        actions = {
            "conversation": self._conversation(draft),
            "message": self._message(draft),
            "outbox": outbox_put(tables.outbox, draft.record),
            "rate": {"Update": {**rate_update(tables.rate_limits, message.senderId, SEND_RATE, draft.now), **_ALL_OLD}},
            "sender": {
                "Update": member_update(tables.members, state, message.senderId, {"lastReadSeq": message.seq}),
            },
        }
        if draft.temp_id is not None:
            actions["idempotency"] = self._idempotency(draft, draft.temp_id)
        for user_id in sorted(draft.hidden_from):
            hidden = member_update(tables.members, state, user_id, {"hasHidden": True})
            actions[f"hidden from {user_id}"] = {"Update": hidden}
        return actions

    def _conversation(self, draft: Draft) -> dict[str, Any]:
        state, message = draft.known, draft.message
        conditions: Sequence[str] = (
            "attribute_exists(conversationId)",
            unchanged("latestSeq", state.latest_seq, ":knownSeq"),
            unchanged("version", state.version, ":knownVersion"),
        )
        values = {
            ":knownSeq": state.latest_seq,
            ":knownVersion": state.version,
            ":seq": message.seq,
            ":at": message.timestamp,
            ":last": {k: v for k, v in msgspec.structs.asdict(last_message(message)).items() if v is not None},
        }
        return {
            "Update": {
                "TableName": self._tables.conversations,
                "Key": self.conversation_key(state.conversation_id),
                "UpdateExpression": "SET latestSeq = :seq, lastMessageAt = :at, updatedAt = :at, lastMessage = :last",
                "ConditionExpression": " AND ".join(conditions),
                "ExpressionAttributeValues": to_item(values),
                **_ALL_OLD,
            }
        }

    def _message(self, draft: Draft) -> dict[str, Any]:
        item = msgspec.structs.asdict(draft.message)
        item["tempId"] = draft.temp_id
        item["hiddenFrom"] = draft.hidden_from or None
        return {
            "Put": {
                "TableName": self._tables.messages,
                "Item": to_item(item),
                "ConditionExpression": "attribute_not_exists(conversationId)",
                **_ALL_OLD,
            }
        }

    def _idempotency(self, draft: Draft, temp_id: str) -> dict[str, Any]:
        message = draft.message
        item = {
            "id": _idempotency_id(message.senderId, message.conversationId, temp_id),
            "conversationId": message.conversationId,
            "timestamp": message.timestamp,
            "expiresAt": draft.now // 1000 + limits.IDEMPOTENCY_RETENTION_HOURS * 3600,
        }
        return {
            "Put": {
                "TableName": self._tables.idempotency,
                "Item": to_item(item),
                "ConditionExpression": "attribute_not_exists(id)",
                **_ALL_OLD,
            }
        }


def _idempotency_id(sender_id: str, conversation_id: str, temp_id: str) -> str:
    return f"{sender_id}#{conversation_id}#{temp_id}"
