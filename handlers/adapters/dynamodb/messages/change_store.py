"""Stores an edit or deletion in one transaction."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from contract import limits
from contract.text import preview
from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.conversations.reader import conversation_key, unchanged
from handlers.adapters.dynamodb.messages.members import member_update
from handlers.adapters.dynamodb.messages.message_finder import message_key
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.dynamodb.transactions import TransactionCancelledError, transact
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import (
    ChangeKind,
    MessageChange,
    MessageChangeStore,
    MessageWriteResult,
    MessageWriteStatus,
)
from handlers.core.messages.rules import MEDIA_FIELDS, StoredMessage

_ALL_OLD = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


class ChangeTables(msgspec.Struct, frozen=True, kw_only=True):
    """Names of the tables that the transaction of a change writes."""

    conversations: str
    members: str
    messages: str
    message_changes: str
    outbox: str


class DynamoMessageChangeStore(MessageChangeStore):
    """Stores edits and deletions."""

    def __init__(self, client: Any, tables: ChangeTables) -> None:
        self._client = client
        self._tables = tables

    def apply(self, change: MessageChange) -> MessageWriteResult:
        actions = [
            self._message(change),
            self._conversation(change),
            self._change(change),
            outbox_put(self._tables.outbox, change.record),
            *self._hidden(change),
        ]
        try:
            transact(self._client, actions, str(uuid.uuid4()), "the change")
        except TransactionCancelledError as cancelled:
            message, conversation, *_ = cancelled.reasons
            if message.condition_failed:
                return MessageWriteResult(
                    MessageWriteStatus.DELETED, message=StoredMessage.of(message.item) if message.item else None
                )
            if conversation.condition_failed:
                present = ConversationState.of(conversation.item) if conversation.item else None
                return MessageWriteResult(MessageWriteStatus.CONFLICT, present)
            return MessageWriteResult(MessageWriteStatus.CONTENDED)
        return MessageWriteResult(MessageWriteStatus.STORED)

    def _message(self, change: MessageChange) -> dict[str, Any]:
        values: dict[str, Any] = {":id": change.message.messageId, ":false": False}
        if change.kind is ChangeKind.EDIT:
            update = "SET editedAt = :at, #content = :content"
            values |= {":at": change.changed_at, ":content": change.message.content}
            if change.message.content is None:
                update = "SET editedAt = :at REMOVE #content"
            if change.hidden_from:
                update += " ADD hiddenFrom :hidden"
                values[":hidden"] = change.hidden_from
        else:
            update = f"SET #deleted = :true, deletedChange = :change REMOVE #content, {', '.join(_media_names())}"
            values |= {":true": True, ":change": change.change}
        names = {"#deleted": "deleted", "#content": "content"}
        if change.kind is ChangeKind.DELETE:
            names |= dict(zip(_media_names(), MEDIA_FIELDS, strict=True))
        return {
            "Update": {
                "TableName": self._tables.messages,
                "Key": message_key(change.message.conversationId, change.message.timestamp),
                "UpdateExpression": update,
                "ConditionExpression": "messageId = :id AND #deleted = :false",
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": to_item(values),
                **_ALL_OLD,
            }
        }

    def _conversation(self, change: MessageChange) -> dict[str, Any]:
        """Store the change number, and the preview if the conversation list shows this message."""
        conversation = change.conversation
        values: dict[str, Any] = {
            ":knownChange": conversation.latest_change,
            ":knownVersion": conversation.version,
            ":change": change.change,
            ":id": change.message.messageId,
        }
        update = "SET latestChange = :change"
        shown = "(attribute_not_exists(lastMessage) OR lastMessage.messageId <> :id)"
        names: dict[str, str] = {}
        if conversation.last_message_id == change.message.messageId:
            shown = "lastMessage.messageId = :id"
            names["#preview"] = "preview"
            text = preview(change.message.content)
            if change.kind is ChangeKind.DELETE:
                names["#deleted"] = "deleted"
                values[":true"] = True
                update += ", lastMessage.#deleted = :true REMOVE lastMessage.#preview"
            elif text is None:
                update += " REMOVE lastMessage.#preview"
            else:
                values[":preview"] = text
                update += ", lastMessage.#preview = :preview"
        conditions = (
            "attribute_exists(conversationId)",
            unchanged("latestChange", conversation.latest_change, ":knownChange"),
            unchanged("version", conversation.version, ":knownVersion"),
            shown,
        )
        action: dict[str, Any] = {
            "TableName": self._tables.conversations,
            "Key": conversation_key(conversation.conversation_id),
            "UpdateExpression": update,
            "ConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeValues": to_item(values),
            **_ALL_OLD,
        }
        if names:
            action["ExpressionAttributeNames"] = names
        return {"Update": action}

    def _change(self, change: MessageChange) -> dict[str, Any]:
        item = {
            "conversationId": change.message.conversationId,
            "change": change.change,
            "kind": change.kind.value,
            "messageId": change.message.messageId,
            "timestamp": change.message.timestamp,
            "changedBy": change.changed_by,
            "changedAt": change.changed_at,
            "hiddenFrom": change.hidden_from or None,
            "expiresAt": change.now // 1000 + limits.CHANGE_RETENTION_DAYS * 86_400,
        }
        return {"Put": {"TableName": self._tables.message_changes, "Item": to_item(item)}}

    def _hidden(self, change: MessageChange) -> list[dict[str, Any]]:
        if change.kind is not ChangeKind.EDIT:
            return []
        return [
            {"Update": member_update(self._tables.members, change.conversation, user_id, {"hasHidden": True})}
            for user_id in sorted(change.hidden_from)
        ]


def _media_names() -> list[str]:
    return [f"#{name}" for name in MEDIA_FIELDS]
