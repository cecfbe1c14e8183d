"""Stores a sent message in one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from contract import limits
from contract.limits import SEND_RATE
from contract.models import Message
from handlers.adapters.dynamodb.client import error_code, writing
from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.conversations.reader import conversation_key, unchanged
from handlers.adapters.dynamodb.messages.members import member_update
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.dynamodb.rate_limits import rate_update
from handlers.adapters.dynamodb.reads import get_item
from handlers.adapters.dynamodb.transactions import CancellationReason, TransactionCancelledError, transact
from handlers.core.messages.conversation_cache import ConversationCache
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import MessageStore, MessageWriteResult, MessageWriteStatus, NewMessage
from handlers.core.messages.rules import StoredMessage, last_message
from handlers.core.shared.errors import OutcomeUnknownError

_ALL_OLD = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


class MessageTables(msgspec.Struct, frozen=True, kw_only=True):
    """Names of the tables that the transaction of a sent message writes."""

    conversations: str
    members: str
    messages: str
    idempotency: str
    rate_limits: str
    outbox: str


class DynamoMessageStore(MessageStore):
    """Stores messages, and keeps the cached conversation up to date."""

    def __init__(self, client: Any, tables: MessageTables, cache: ConversationCache) -> None:
        self._client = client
        self._tables = tables
        self._cache = cache

    def find_by_temp_id(self, sender_id: str, conversation_id: str, temp_id: str) -> StoredMessage | None:
        key = {"id": _idempotency_id(sender_id, conversation_id, temp_id)}
        record = get_item(self._client, self._tables.idempotency, key, "the tempId")
        if record is None:
            return None
        key = {"conversationId": record["conversationId"], "timestamp": record["timestamp"]}
        message = get_item(self._client, self._tables.messages, key, "the message")
        return None if message is None else StoredMessage.of(message)

    def store(self, new: NewMessage) -> MessageWriteResult:
        before, message = new.conversation, new.message
        actions = self._actions(new)
        try:
            transact(self._client, list(actions.values()), str(uuid.uuid4()), "the message")
        except TransactionCancelledError as cancelled:
            reasons = dict(zip(actions, cancelled.reasons, strict=True))
            if before.is_group:
                return MessageWriteResult(_group_status(reasons))
            return self._cancelled(before.conversation_id, reasons)
        except OutcomeUnknownError:
            self._cache.put(before.conversation_id, None)
            raise
        if before.is_group:
            return MessageWriteResult(MessageWriteStatus.STORED)
        after = before.after_message(message.messageId, before.latest_seq + 1, message.timestamp)
        self._cache.put(before.conversation_id, after)
        return MessageWriteResult(MessageWriteStatus.STORED, after)

    def show_newest(self, message: Message) -> None:
        request = {
            "TableName": self._tables.conversations,
            "Key": conversation_key(message.conversationId),
            "UpdateExpression": "SET latestSeq = :seq, lastMessageAt = :at, lastMessage = :last",
            "ConditionExpression": (
                "attribute_exists(conversationId) AND (attribute_not_exists(latestSeq) OR latestSeq < :seq)"
            ),
            "ExpressionAttributeValues": to_item(_newest(message)),
        }
        try:
            with writing("the newest message"):
                self._client.update_item(**request)
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise

    def _cancelled(self, conversation_id: str, reasons: dict[str, CancellationReason]) -> MessageWriteResult:
        conversation, temp_id = reasons["conversation"], reasons.get("idempotency")
        if temp_id is not None and temp_id.condition_failed:
            return MessageWriteResult(MessageWriteStatus.DUPLICATE)
        if conversation.condition_failed:
            present = ConversationState.of(conversation.item) if conversation.item else None
            self._cache.put(conversation_id, present)
            return MessageWriteResult(MessageWriteStatus.CONFLICT, present)
        if reasons["rate"].condition_failed:
            if temp_id is not None and temp_id.contended:  # the same tempId may be accepted at this moment
                return MessageWriteResult(MessageWriteStatus.CONTENDED)
            return MessageWriteResult(MessageWriteStatus.RATE_LIMITED)
        if reasons["message"].condition_failed:
            return MessageWriteResult(MessageWriteStatus.TIMESTAMP_TAKEN)
        return MessageWriteResult(MessageWriteStatus.CONTENDED)

    def _actions(self, new: NewMessage) -> dict[str, dict[str, Any]]:
        """Return the actions by name, in the order of the transaction."""
        tables, conversation, message = self._tables, new.conversation, new.message
        actions = {
            "message": self._message(new),
            "outbox": outbox_put(tables.outbox, new.record),
            "rate": {"Update": {**rate_update(tables.rate_limits, message.senderId, SEND_RATE, new.now), **_ALL_OLD}},
        }
        if conversation.is_group:
            actions |= self._membership(new)
        else:
            read = {"lastReadSeq": message.seq}
            actions["conversation"] = self._conversation(new)
            actions["sender"] = {"Update": member_update(tables.members, conversation, message.senderId, read)}
        if new.temp_id is not None:
            actions["idempotency"] = self._idempotency(new, new.temp_id)
        for user_id in sorted(new.hidden_from):
            hidden = member_update(tables.members, conversation, user_id, {"hasHidden": True})
            actions[f"hidden from {user_id}"] = {"Update": hidden}
        return actions

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
        conditions: Sequence[str] = (
            "attribute_exists(conversationId)",
            unchanged("latestSeq", conversation.latest_seq, ":knownSeq"),
            unchanged("version", conversation.version, ":knownVersion"),
        )
        values = {
            ":knownSeq": conversation.latest_seq,
            ":knownVersion": conversation.version,
            **_newest(message),
        }
        return {
            "Update": {
                "TableName": self._tables.conversations,
                "Key": conversation_key(conversation.conversation_id),
                "UpdateExpression": "SET latestSeq = :seq, lastMessageAt = :at, updatedAt = :at, lastMessage = :last",
                "ConditionExpression": " AND ".join(conditions),
                "ExpressionAttributeValues": to_item(values),
                **_ALL_OLD,
            }
        }

    def _message(self, new: NewMessage) -> dict[str, Any]:
        item = msgspec.structs.asdict(new.message)
        item["tempId"] = new.temp_id
        item["hiddenFrom"] = new.hidden_from or None
        return {
            "Put": {
                "TableName": self._tables.messages,
                "Item": to_item(item),
                "ConditionExpression": "attribute_not_exists(conversationId)",
                **_ALL_OLD,
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
                **_ALL_OLD,
            }
        }


def _newest(message: Message) -> dict[str, Any]:
    """Return the values of a conversation's attributes that show its newest message."""
    shown = msgspec.structs.asdict(last_message(message))
    return {
        ":seq": message.seq,
        ":at": message.timestamp,
        ":last": {name: value for name, value in shown.items() if value is not None},
    }


def _group_status(reasons: dict[str, CancellationReason]) -> MessageWriteStatus:
    """Return why the transaction of a group's message was cancelled."""
    sender, temp_id = reasons["sender"], reasons.get("idempotency")
    if temp_id is not None and temp_id.condition_failed:
        return MessageWriteStatus.DUPLICATE
    if sender.condition_failed:
        return MessageWriteStatus.READ_AHEAD if sender.item else MessageWriteStatus.NO_MEMBER
    if reasons["rate"].condition_failed:
        if temp_id is not None and temp_id.contended:  # the same tempId may be accepted at this moment
            return MessageWriteStatus.CONTENDED
        return MessageWriteStatus.RATE_LIMITED
    if reasons["message"].condition_failed:
        return MessageWriteStatus.TIMESTAMP_TAKEN
    return MessageWriteStatus.CONTENDED


def _idempotency_id(sender_id: str, conversation_id: str, temp_id: str) -> str:
    return f"{sender_id}#{conversation_id}#{temp_id}"
