"""Numbers messages of the old server: one transaction on the counter, the message and the outbox."""

from __future__ import annotations

import uuid
from typing import Any, Final

import msgspec

from handlers.adapters.dynamodb.bridge.tables import BridgeTables
from handlers.adapters.dynamodb.client import write_single
from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.conversations.reader import conversation_key, unchanged
from handlers.adapters.dynamodb.messages.counter_items import counter_creation
from handlers.adapters.dynamodb.messages.members import member_update
from handlers.adapters.dynamodb.messages.message_finder import message_key
from handlers.adapters.dynamodb.messages.message_items import ABSENT, newest_values
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.dynamodb.reads import get_item
from handlers.adapters.dynamodb.transactions import commit
from handlers.core.bridge.ports import CounterState, FoundMessage, NumberedMessage, OldMessageStore
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.rules import StoredMessage
from handlers.core.shared.timestamps import from_iso

_UNNUMBERED: Final = "attribute_exists(conversationId) AND attribute_not_exists(seq)"


class DynamoOldMessages(OldMessageStore):
    """Numbers items of the table Messages."""

    def __init__(self, client: Any, tables: BridgeTables) -> None:
        self._client = client
        self._tables = tables

    def find(self, conversation_id: str, timestamp: str) -> FoundMessage | None:
        key = {"conversationId": conversation_id, "timestamp": timestamp}
        item = get_item(self._client, self._tables.messages, key, "the message")
        if item is None:
            return None
        return FoundMessage(
            conversation_id=conversation_id, key=timestamp, attributes=item, message=readable_message(item)
        )

    def counter(self, conversation: ConversationState) -> CounterState:
        for _ in range(2):
            key = {"conversationId": conversation.conversation_id}
            item = get_item(self._client, self._tables.counters_of(conversation), key, "the counter")
            if item is not None and "latestSeq" in item and "lastTimestampMs" in item:
                return _state(item)
            self._create_counter(conversation)
        return _state(item or {})

    def _create_counter(self, conversation: ConversationState) -> None:
        """Create the counter. The date of the old server's newest message is no reason to move that message."""
        if not conversation.is_group and conversation.latest_seq == 0 and not conversation.last_timestamp:
            creation: dict[str, Any] = counter_creation(
                version=conversation.version,
                latest_seq=0,
                latest_change=conversation.latest_change,
                last_timestamp=0,
                last_message_at=None,
                participants=(),
                channel_epoch=None,
            )
            creation["ConditionExpression"] = "attribute_exists(conversationId)"
        else:
            at = conversation.last_message_at if conversation.last_message_id else None
            creation = counter_creation(
                version=conversation.version,
                latest_seq=conversation.latest_seq,
                latest_change=conversation.latest_change,
                last_timestamp=from_iso(at) if at else 0,
                last_message_at=at,
                participants=conversation.participants if conversation.is_group else (),
                channel_epoch=str(uuid.uuid4()) if conversation.is_group else None,
            )
        request = {
            "TableName": self._tables.counters_of(conversation),
            "Key": conversation_key(conversation.conversation_id),
            **creation,
        }
        write_single(lambda: self._client.update_item(**request), "the counter")

    def number(self, numbered: NumberedMessage) -> bool:
        actions = [
            {"Update": self._count(numbered)},
            *(self._move(numbered) if numbered.moved else [{"Update": self._set_number(numbered)}]),
            outbox_put(self._tables.outbox, numbered.record),
            *(
                {"Update": member_update(self._tables.members, numbered.conversation, each, {"hasHidden": True})}
                for each in sorted(numbered.hidden_from)
            ),
        ]
        done = commit(self._client, actions, "the number of an old message")
        if done:
            self._mark_read(numbered)
        return done

    def _count(self, numbered: NumberedMessage) -> dict[str, Any]:
        """Return the update of the counter, which in a direct conversation also shows the newest message."""
        conversation, message, known = numbered.conversation, numbered.message, numbered.known
        values: dict[str, Any] = {
            ":known": known.latest_seq,
            ":version": conversation.version,
            ":seq": message.seq,
            ":ms": from_iso(message.timestamp),
            ":at": message.timestamp,
        }
        shown = ""
        if not conversation.is_group:
            values |= newest_values(message)
            shown = ", updatedAt = :at, lastMessage = :last"
        return {
            "TableName": self._tables.counters_of(conversation),
            "Key": conversation_key(conversation.conversation_id),
            "UpdateExpression": f"SET latestSeq = :seq, lastTimestampMs = :ms, lastMessageAt = :at{shown}",
            "ConditionExpression": " AND ".join(
                (
                    "attribute_exists(conversationId)",
                    "latestSeq = :known",
                    "lastTimestampMs < :ms",
                    unchanged("version", conversation.version, ":version"),
                )
            ),
            "ExpressionAttributeValues": to_item(values),
        }

    def _set_number(self, numbered: NumberedMessage) -> dict[str, Any]:
        hidden = ", hiddenFrom = :hidden" if numbered.hidden_from else ""
        values = {":seq": numbered.message.seq, ":true": True, ":hidden": numbered.hidden_from or None}
        return {
            "TableName": self._tables.messages,
            "Key": message_key(numbered.message.conversationId, numbered.found.key),
            "UpdateExpression": f"SET seq = :seq, bridged = :true{hidden}",
            "ConditionExpression": _UNNUMBERED,
            "ExpressionAttributeValues": to_item(values),
        }

    def _move(self, numbered: NumberedMessage) -> list[dict[str, Any]]:
        """Return the actions that store a message at a later timestamp, with all of its attributes."""
        message = numbered.message
        item = {
            **numbered.found.attributes,
            "timestamp": message.timestamp,
            "createdAt": message.createdAt,
            "seq": message.seq,
            "bridged": True,
            "hiddenFrom": numbered.hidden_from or None,
        }
        delete = {
            "TableName": self._tables.messages,
            "Key": message_key(message.conversationId, numbered.found.key),
            "ConditionExpression": _UNNUMBERED,
        }
        put = {"TableName": self._tables.messages, "Item": to_item(item), "ConditionExpression": ABSENT}
        return [{"Delete": delete}, {"Put": put}]

    def _mark_read(self, numbered: NumberedMessage) -> None:
        """Mark the conversation as read by the sender, as a send of the backend does, if the sender is a member."""
        message = numbered.message
        if message.senderId not in numbered.conversation.participants:
            return
        request = {
            "TableName": self._tables.members,
            "Key": to_item({"userId": message.senderId, "conversationId": message.conversationId}),
            "UpdateExpression": "SET lastReadSeq = :seq",
            "ConditionExpression": "attribute_exists(userId) AND lastReadSeq < :seq",
            "ExpressionAttributeValues": to_item({":seq": message.seq}),
        }
        write_single(lambda: self._client.update_item(**request), "the read mark")


def readable_message(item: dict[str, Any]) -> StoredMessage | None:
    """Return the message of an item; None where the item is no message."""
    try:
        return StoredMessage.of(item)
    except msgspec.ValidationError:
        return None


def _state(item: dict[str, Any]) -> CounterState:
    return CounterState(
        item.get("latestSeq") or 0, item.get("lastTimestampMs") or 0, tuple((item.get("pendingSeq") or {}).values())
    )
