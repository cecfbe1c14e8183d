"""Stores an edit or deletion in one transaction."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from contract import limits
from contract.text import preview
from handlers.adapters.dynamodb.client import write_single
from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.conversations.reader import conversation_key, unchanged
from handlers.adapters.dynamodb.messages.members import member_update
from handlers.adapters.dynamodb.messages.message_finder import message_key
from handlers.adapters.dynamodb.messages.message_items import ABSENT
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.dynamodb.transactions import TransactionCancelledError, transact
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
        actions = {
            "message": self._message(change),
            "change": self._change(change),
            "outbox": outbox_put(self._tables.outbox, change.record),
            **self._condition(change),
            **{f"hidden from {each}": action for each, action in self._hidden(change).items()},
        }
        try:
            transact(self._client, list(actions.values()), str(uuid.uuid4()), "the change")
        except TransactionCancelledError as cancelled:
            reasons = dict(zip(actions, cancelled.reasons, strict=True))
            message = reasons["message"]
            if message.condition_failed:
                present = StoredMessage.of(message.item) if message.item else None
                if present is not None and not present.message.deleted:
                    return MessageWriteResult(MessageWriteStatus.NUMBER_VOIDED)
                return MessageWriteResult(MessageWriteStatus.DELETED, message=present)
            if reasons["change"].condition_failed:
                return MessageWriteResult(MessageWriteStatus.NUMBER_VOIDED)
            if "member" in reasons and reasons["member"].condition_failed:
                return MessageWriteResult(MessageWriteStatus.NO_MEMBER)
            if "conversation" in reasons and reasons["conversation"].condition_failed:
                return MessageWriteResult(MessageWriteStatus.CONFLICT)
            return MessageWriteResult(MessageWriteStatus.CONTENDED)
        return MessageWriteResult(MessageWriteStatus.STORED)

    def show(self, change: MessageChange) -> None:
        conversation = change.conversation
        if not conversation.is_group or conversation.last_message_id != change.message.messageId:
            return
        update = self._preview(change)
        write_single(lambda: self._client.update_item(**update), "the preview")

    def _condition(self, change: MessageChange) -> dict[str, dict[str, Any]]:
        """Return the action on which a change in a group is conditional, or that changes a direct one's preview."""
        conversation = change.conversation
        if not conversation.is_group:
            shown = conversation.last_message_id == change.message.messageId
            return {"conversation": {"Update": self._preview(change)}} if shown else {}
        if change.has_membership:
            check = {
                "TableName": self._tables.members,
                "Key": to_item({"userId": change.changed_by, "conversationId": conversation.conversation_id}),
                "ConditionExpression": "attribute_exists(userId)",
            }
            return {"member": {"ConditionCheck": check}}
        check = {
            "TableName": self._tables.conversations,
            "Key": conversation_key(conversation.conversation_id),
            "ConditionExpression": (
                f"attribute_exists(conversationId) AND {unchanged('version', conversation.version, ':version')}"
            ),
            "ExpressionAttributeValues": to_item({":version": conversation.version}),
        }
        return {"conversation": {"ConditionCheck": check}}

    def _preview(self, change: MessageChange) -> dict[str, Any]:
        """Return the parameters of an update of the preview, if the conversation shows the message."""
        names = {"#preview": "preview"}
        values: dict[str, Any] = {":id": change.message.messageId}
        text = preview(change.message.content)
        update = "REMOVE lastMessage.#preview"
        if change.kind is ChangeKind.DELETE:
            names["#deleted"] = "deleted"
            values[":true"] = True
            update = "SET lastMessage.#deleted = :true REMOVE lastMessage.#preview"
        elif text is not None:
            values[":preview"] = text
            update = "SET lastMessage.#preview = :preview"
        return {
            "TableName": self._tables.conversations,
            "Key": conversation_key(change.conversation.conversation_id),
            "UpdateExpression": update,
            "ConditionExpression": "lastMessage.messageId = :id",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": to_item(values),
        }

    def _message(self, change: MessageChange) -> dict[str, Any]:
        values: dict[str, Any] = {":id": change.message.messageId, ":false": False, ":change": change.change}
        if change.kind is ChangeKind.EDIT:
            update = "SET latestChange = :change, editedAt = :at, #content = :content"
            values |= {":at": change.changed_at, ":content": change.message.content}
            if change.message.content is None:
                update = "SET latestChange = :change, editedAt = :at REMOVE #content"
            if change.hidden_from:
                update += " ADD hiddenFrom :hidden"
                values[":hidden"] = change.hidden_from
        else:
            changed = "SET latestChange = :change, #deleted = :true, deletedChange = :change"
            update = f"{changed} REMOVE #content, {', '.join(_media_names())}"
            values |= {":true": True}
        names = {"#deleted": "deleted", "#content": "content"}
        if change.kind is ChangeKind.DELETE:
            names |= dict(zip(_media_names(), MEDIA_FIELDS, strict=True))
        return {
            "Update": {
                "TableName": self._tables.messages,
                "Key": message_key(change.message.conversationId, change.message.timestamp),
                "UpdateExpression": update,
                "ConditionExpression": (
                    "messageId = :id AND #deleted = :false "
                    "AND (attribute_not_exists(latestChange) OR latestChange < :change)"
                ),
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": to_item(values),
                **_ALL_OLD,
            }
        }

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
        put = {"TableName": self._tables.message_changes, "Item": to_item(item), "ConditionExpression": ABSENT}
        return {"Put": put}

    def _hidden(self, change: MessageChange) -> dict[str, dict[str, Any]]:
        if change.kind is not ChangeKind.EDIT:
            return {}
        return {
            user_id: {"Update": member_update(self._tables.members, change.conversation, user_id, {"hasHidden": True})}
            for user_id in sorted(change.hidden_from)
        }


def _media_names() -> list[str]:
    return [f"#{name}" for name in MEDIA_FIELDS]
