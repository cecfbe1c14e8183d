"""Creates and changes conversations and groups, each in one transaction."""

from __future__ import annotations

from typing import Any

from contract.limits import HIDDEN_MESSAGES_EXAMINED
from contract.models import Conversation, LastMessage
from handlers.adapters.dynamodb.blocks import blocks_version_key
from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.conversations import items
from handlers.adapters.dynamodb.conversations.numbered import DynamoNumberedConversations
from handlers.adapters.dynamodb.conversations.reader import unchanged
from handlers.adapters.dynamodb.conversations.rows import member_key
from handlers.adapters.dynamodb.messages.counter_items import counter_change, counter_creation
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.dynamodb.reads import get_item, query
from handlers.adapters.dynamodb.transactions import commit
from handlers.core.conversations.ports import (
    ConversationStore,
    GroupChange,
    GroupRecord,
    NewConversation,
    VisibleMessages,
)
from handlers.core.messages.rules import StoredMessage

_CHANGING = ("name", "description", "avatar", "participants", "admins", "version", "updatedAt")


class DynamoConversationStore(DynamoNumberedConversations, ConversationStore):
    """Reads and writes conversations. The arguments besides the client are table names."""

    def __init__(
        self,
        *,
        client: Any,
        conversations: str,
        counters: str,
        members_table: str,
        messages: str,
        groups: str,
        blocks: str,
        outbox: str,
    ) -> None:
        super().__init__(
            client=client,
            conversations=conversations,
            counters=counters,
            members_table=members_table,
            messages=messages,
        )
        self._groups = groups
        self._blocks = blocks
        self._outbox = outbox

    def visible(self, conversation_id: str, user_id: str, after_seq: int) -> VisibleMessages:
        """Read a DM's messages, newest first, until the newest visible one and all unread ones are found.

        At most `HIDDEN_MESSAGES_EXAMINED` messages are read, so that a blocked user cannot slow down the other
        user's conversation list by sending many messages.
        """
        request = {
            "TableName": self._messages,
            "KeyConditionExpression": "conversationId = :conversation",
            "ExpressionAttributeValues": to_item({":conversation": conversation_id}),
            "ScanIndexForward": False,
            "ConsistentRead": True,
            "Limit": 100,
        }
        newest: LastMessage | None = None
        unread = 0
        for number, item in enumerate(query(self._client, request, "the messages"), start=1):
            stored = StoredMessage.of(item)
            is_unread = (stored.message.seq or 0) > after_seq
            if stored.visible_to(user_id):
                newest = newest or items.shown_message(stored.message)
                unread += is_unread
            if (newest and not is_unread) or number >= HIDDEN_MESSAGES_EXAMINED:
                break
        return VisibleMessages(newest, unread)

    def group(self, group_id: str) -> GroupRecord | None:
        item = get_item(self._client, self._groups, {"groupId": group_id}, "the group")
        return items.group(item) if item else None

    def create(self, creation: NewConversation) -> bool:
        conversation = items.conversation_item(creation)
        actions = [self._put(self._conversations, conversation, "attribute_not_exists(conversationId)")]
        actions += [self._put(self._members_table, items.membership_item(member)) for member in creation.members]
        if creation.group:
            actions.append(self._counter_creation(creation))
            actions.append(self._put(self._groups, items.group_item(creation.group)))
        actions += [
            self._block_check(blocker, blocked, stands) for (blocker, blocked), stands in creation.blocks.items()
        ]
        actions += self._blocks_unchanged(creation.blocked_version)
        actions += [outbox_put(self._outbox, record) for record in creation.outbox]
        return commit(self._client, actions, "the conversation")

    def change(self, change: GroupChange) -> bool:
        conversation_id = change.before.conversationId
        actions = [self._conversation_update(change), self._counter_update(change)]
        actions += [self._put(self._members_table, items.membership_item(member)) for member in change.joined]
        actions += [
            {"Delete": {"TableName": self._members_table, "Key": member_key(user_id, conversation_id)}}
            for user_id in change.left
        ]
        actions += [self._role_update(user_id, change.after, role) for user_id, role in change.roles.items()]
        if change.counted:
            actions.append(self._count_update(change))
        actions += self._blocks_unchanged(change.blocked_version)
        actions += [outbox_put(self._outbox, record) for record in change.outbox]
        return commit(self._client, actions, "the group")

    def _conversation_update(self, change: GroupChange) -> dict[str, Any]:
        values = {name: getattr(change.after, name) for name in _CHANGING}
        values["hiddenMembers"] = items.hidden_members_item(change.hidden_members)
        kept = {name: value for name, value in values.items() if value is not None}
        cleared = [name for name in values if name not in kept]
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in kept)
        if cleared:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in cleared)
        return {
            "Update": {
                "TableName": self._conversations,
                "Key": to_item({"conversationId": change.before.conversationId}),
                "UpdateExpression": expression,
                "ConditionExpression": (
                    f"attribute_exists(conversationId) AND {unchanged('#version', change.before.version, ':before')}"
                ),
                "ExpressionAttributeNames": {f"#{name}": name for name in values},
                "ExpressionAttributeValues": to_item(
                    {
                        **{f":{name}": value for name, value in kept.items()},
                        ":before": change.before.version,
                    }
                ),
            }
        }

    def _counter_creation(self, creation: NewConversation) -> dict[str, Any]:
        conversation = creation.conversation
        return {
            "Update": {
                "TableName": self._counters,
                "Key": to_item({"conversationId": conversation.conversationId}),
                **counter_creation(
                    version=conversation.version,
                    latest_seq=0,
                    latest_change=0,
                    last_timestamp=0,
                    last_message_at=None,
                    participants=conversation.participants,
                    channel_epoch=creation.channel_epoch,
                ),
            }
        }

    def _counter_update(self, change: GroupChange) -> dict[str, Any]:
        """Return the update of the version and members on which senders rely, and of the channel."""
        return {
            "Update": {
                "TableName": self._counters,
                "Key": to_item({"conversationId": change.before.conversationId}),
                **counter_change(change.after.version, change.after.participants, change.channel_epoch),
            }
        }

    def _role_update(self, user_id: str, after: Conversation, role: str) -> dict[str, Any]:
        """Return the update of a member's role. A member of the old application has no item: it is created whole."""
        defaults = {"type": after.type, "joinedAt": after.createdAt, "lastReadSeq": 0}
        kept = [f"#{name} = if_not_exists(#{name}, :{name})" for name in defaults]
        return {
            "Update": {
                "TableName": self._members_table,
                "Key": member_key(user_id, after.conversationId),
                "UpdateExpression": "SET " + ", ".join(["#role = :role", *kept]),
                "ExpressionAttributeNames": {f"#{name}": name for name in ("role", *defaults)},
                "ExpressionAttributeValues": to_item(
                    {":role": role, **{f":{name}": value for name, value in defaults.items()}}
                ),
            }
        }

    def _count_update(self, change: GroupChange) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._groups,
                "Key": to_item({"groupId": change.before.conversationId}),
                "UpdateExpression": "SET memberCount = :count, updatedAt = :now",
                "ExpressionAttributeValues": to_item(
                    {":count": len(change.after.participants), ":now": change.after.updatedAt}
                ),
            }
        }

    def _blocks_unchanged(self, blocked_version: tuple[str, int] | None) -> list[dict[str, Any]]:
        """Return the check that no user has blocked or unblocked the given one since the blocks were read."""
        if blocked_version is None:
            return []
        user_id, version = blocked_version
        return [
            {
                "ConditionCheck": {
                    "TableName": self._blocks,
                    "Key": blocks_version_key(user_id),
                    "ConditionExpression": unchanged("version", version, ":version"),
                    "ExpressionAttributeValues": to_item({":version": version}),
                }
            }
        ]

    def _block_check(self, blocker: str, blocked: str, stands: bool) -> dict[str, Any]:
        return {
            "ConditionCheck": {
                "TableName": self._blocks,
                "Key": to_item({"userId": blocker, "blockedUserId": blocked}),
                "ConditionExpression": "attribute_exists(userId)" if stands else "attribute_not_exists(userId)",
            }
        }

    def _put(self, table: str, item: dict[str, Any], condition: str | None = None) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": table, "Item": to_item(item)}
        if condition:
            put["ConditionExpression"] = condition
        return {"Put": put}
