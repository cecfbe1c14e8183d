"""Stores a sent message: of a group in one transaction, of a direct conversation by its outbox record."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from contract import limits
from contract.models import Message
from handlers.adapters.dynamodb.client import error_code, writing
from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.conversations.reader import conversation_key, unchanged
from handlers.adapters.dynamodb.messages.direct_messages import DynamoDirectMessages, accept_status
from handlers.adapters.dynamodb.messages.members import member_update
from handlers.adapters.dynamodb.messages.message_items import ABSENT, message_item, newest_values
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.dynamodb.reads import get_item
from handlers.adapters.dynamodb.transactions import CancellationReason, TransactionCancelledError, transact
from handlers.core.messages.ports import MessageStore, MessageWriteStatus, NewMessage
from handlers.core.messages.rules import StoredMessage
from handlers.core.shared.timestamps import from_iso

_ALL_OLD = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


class MessageTables(msgspec.Struct, frozen=True, kw_only=True):
    """Names of the tables that a sent message writes."""

    conversations: str
    members: str
    messages: str
    idempotency: str
    outbox: str


class DynamoMessageStore(MessageStore):
    """Stores messages."""

    def __init__(self, client: Any, tables: MessageTables, direct_messages: DynamoDirectMessages) -> None:
        self._client = client
        self._tables = tables
        self._direct_messages = direct_messages

    def find_by_temp_id(
        self, sender_id: str, conversation_id: str, temp_id: str, *, is_direct: bool
    ) -> StoredMessage | None:
        if is_direct:
            return self._direct_messages.find(sender_id, conversation_id, temp_id)
        key = {"id": _idempotency_id(sender_id, conversation_id, temp_id)}
        record = get_item(self._client, self._tables.idempotency, key, "the tempId")
        if record is None:
            return None
        key = {"conversationId": record["conversationId"], "timestamp": record["timestamp"]}
        message = get_item(self._client, self._tables.messages, key, "the message")
        return None if message is None else StoredMessage.of(message)

    def store(self, new: NewMessage) -> MessageWriteStatus:
        if not new.conversation.is_group:
            return self._direct_messages.accept(new)
        reasons = self._transact(self._group_actions(new))
        return MessageWriteStatus.STORED if reasons is None else _group_status(reasons)

    def store_at_once(self, new: NewMessage) -> MessageWriteStatus:
        reasons = self._transact(self._direct_actions(new))
        if reasons is None:
            return MessageWriteStatus.STORED
        accepting = reasons["outbox"]
        if accepting.condition_failed and accepting.item is not None:
            return accept_status(accepting.item, new)
        return MessageWriteStatus.CONFLICT

    def complete(self, new: NewMessage) -> None:
        self._direct_messages.store(new.message, new.temp_id, new.hidden_from)

    def mark_read(self, new: NewMessage) -> None:
        self._direct_messages.mark_read(new.conversation, new.message)

    def show_newest(self, message: Message) -> None:
        request = {
            "TableName": self._tables.conversations,
            "Key": conversation_key(message.conversationId),
            "UpdateExpression": "SET latestSeq = :seq, lastMessageAt = :at, lastMessage = :last",
            "ConditionExpression": (
                "attribute_exists(conversationId) AND (attribute_not_exists(latestSeq) OR latestSeq < :seq)"
            ),
            "ExpressionAttributeValues": to_item({**newest_values(message), ":seq": message.seq}),
        }
        try:
            with writing("the newest message"):
                self._client.update_item(**request)
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise

    def _transact(self, actions: dict[str, dict[str, Any]]) -> dict[str, CancellationReason] | None:
        """Run a transaction of named actions; return the reasons by name if it was cancelled."""
        try:
            transact(self._client, list(actions.values()), str(uuid.uuid4()), "the message")
        except TransactionCancelledError as cancelled:
            return dict(zip(actions, cancelled.reasons, strict=True))
        return None

    def _group_actions(self, new: NewMessage) -> dict[str, dict[str, Any]]:
        """Return the actions by name, in the order of the transaction."""
        actions = {
            "message": self._message(new),
            "outbox": outbox_put(self._tables.outbox, new.record),
            **self._membership(new),
        }
        if new.temp_id is not None:
            actions["idempotency"] = self._idempotency(new, new.temp_id)
        return actions

    def _direct_actions(self, new: NewMessage) -> dict[str, dict[str, Any]]:
        """Return the actions that store a direct message with its number, read mark and preview."""
        conversation, message, members = new.conversation, new.message, self._tables.members
        marks = {message.senderId: {"lastReadSeq": message.seq}}
        marks |= {user_id: {"hasHidden": True} for user_id in sorted(new.hidden_from)}
        return {
            "message": self._message(new),
            "outbox": {"Put": self._direct_messages.record_put(new)},
            "conversation": self._conversation(new),
            **{each: {"Update": member_update(members, conversation, each, marks[each])} for each in marks},
        }

    def _membership(self, new: NewMessage) -> dict[str, dict[str, Any]]:
        """Return the actions that check the sender's membership of a group, and move the read mark."""
        conversation, message = new.conversation, new.message
        update = member_update(self._tables.members, conversation, message.senderId, {"lastReadSeq": message.seq})
        if new.membership == "conversation":
            check = {
                "TableName": self._tables.conversations,
                "Key": conversation_key(conversation.conversation_id),
                "ConditionExpression": (
                    f"attribute_exists(conversationId) AND {unchanged('version', conversation.version, ':version')}"
                ),
                "ExpressionAttributeValues": to_item({":version": conversation.version}),
            }
            return {"sender": {"ConditionCheck": check}, "read mark": {"Update": update}}
        if new.membership == "ahead":
            check = {"TableName": self._tables.members, "Key": update["Key"]}
            return {"sender": {"ConditionCheck": {**check, "ConditionExpression": "attribute_exists(userId)"}}}
        condition = "attribute_exists(userId) AND (attribute_not_exists(lastReadSeq) OR lastReadSeq < :lastReadSeq)"
        return {"sender": {"Update": {**update, "ConditionExpression": condition, **_ALL_OLD}}}

    def _conversation(self, new: NewMessage) -> dict[str, Any]:
        conversation, message = new.conversation, new.message
        conditions = (
            "attribute_exists(conversationId)",
            unchanged("latestSeq", conversation.latest_seq, ":knownSeq"),
            unchanged("version", conversation.version, ":knownVersion"),
            "(attribute_not_exists(lastTimestampMs) OR lastTimestampMs < :ms)",
        )
        values = {
            ":knownSeq": conversation.latest_seq,
            ":knownVersion": conversation.version,
            ":seq": message.seq,
            ":ms": from_iso(message.timestamp),
            ":none": {},
            **newest_values(message),
        }
        update = (
            "SET latestSeq = :seq, lastTimestampMs = :ms, lastMessageAt = :at, updatedAt = :at, lastMessage = :last, "
            "pendingSeq = if_not_exists(pendingSeq, :none), pendingAt = if_not_exists(pendingAt, :none)"
        )
        return {
            "Update": {
                "TableName": self._tables.conversations,
                "Key": conversation_key(conversation.conversation_id),
                "UpdateExpression": update,
                "ConditionExpression": " AND ".join(conditions),
                "ExpressionAttributeValues": to_item(values),
            }
        }

    def _message(self, new: NewMessage) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._tables.messages,
                "Item": message_item(new.message, new.temp_id, new.hidden_from),
                "ConditionExpression": ABSENT,
            }
        }

    def _idempotency(self, new: NewMessage, temp_id: str) -> dict[str, Any]:
        message = new.message
        item = {
            "id": _idempotency_id(message.senderId, message.conversationId, temp_id),
            "conversationId": message.conversationId,
            "timestamp": message.timestamp,
            "expiresAt": new.now // 1000 + limits.IDEMPOTENCY_RETENTION_HOURS * 3600,
        }
        return {
            "Put": {
                "TableName": self._tables.idempotency,
                "Item": to_item(item),
                "ConditionExpression": "attribute_not_exists(id)",
            }
        }


def _group_status(reasons: dict[str, CancellationReason]) -> MessageWriteStatus:
    """Return why the transaction of a group's message was cancelled."""
    sender, temp_id = reasons["sender"], reasons.get("idempotency")
    if temp_id is not None and temp_id.condition_failed:
        return MessageWriteStatus.DUPLICATE
    if sender.condition_failed:
        return MessageWriteStatus.READ_AHEAD if sender.item else MessageWriteStatus.NO_MEMBER
    if reasons["message"].condition_failed:
        return MessageWriteStatus.TIMESTAMP_TAKEN
    return MessageWriteStatus.CONTENDED


def _idempotency_id(sender_id: str, conversation_id: str, temp_id: str) -> str:
    return f"{sender_id}#{conversation_id}#{temp_id}"
