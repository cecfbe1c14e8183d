"""Creating and changing conversations and groups (`handlers.core.conversations.ports.Conversations`)."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from contract.limits import HIDDEN_MESSAGES_EXAMINED
from contract.models import LastMessage, Message
from handlers.adapters.dynamodb.batches import get_item, query
from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.conversations import items
from handlers.adapters.dynamodb.conversations.reader import unchanged
from handlers.adapters.dynamodb.conversations.rows import DynamoConversationRows, member_key
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.dynamodb.transactions import commit
from handlers.core.conversations.ports import GroupChange, GroupRecord, NewConversation, VisibleMessages
from handlers.core.messages.rules import StoredMessage, last_message

_CHANGING = ("name", "description", "avatar", "participants", "admins", "version", "updatedAt")


class DynamoConversations(DynamoConversationRows, frozen=True, kw_only=True):
    """Reads and writes conversations. The fields besides the client are table names."""

    messages: str
    groups: str
    blocks: str
    outbox: str

    def visible(self, conversation_id: str, user_id: str, after_seq: int) -> VisibleMessages:
        """Look at a DM's messages, newest first, until the newest visible one and all unread ones are seen.

        At most `HIDDEN_MESSAGES_EXAMINED` messages are looked at, so that nobody can slow a list down by sending
        much to a user who has blocked them.
        """
        request = {
            "TableName": self.messages,
            "KeyConditionExpression": "conversationId = :conversation",
            "ExpressionAttributeValues": to_item({":conversation": conversation_id}),
            "ScanIndexForward": False,
            "ConsistentRead": True,
            "Limit": 100,
        }
        newest: LastMessage | None = None
        unread = 0
        for number, item in enumerate(query(self.client, request, "the messages"), start=1):
            stored = StoredMessage.of(item)
            is_unread = (stored.message.seq or 0) > after_seq
            if stored.visible_to(user_id):
                newest = newest or _last_message(stored.message)
                unread += is_unread
            if (newest and not is_unread) or number >= HIDDEN_MESSAGES_EXAMINED:
                break
        return VisibleMessages(newest, unread)

    def group(self, group_id: str) -> GroupRecord | None:
        """Read what a group has beyond its conversation."""
        item = get_item(self.client, self.groups, {"groupId": group_id}, "the group")
        return items.group(item) if item else None

    def create(self, creation: NewConversation) -> bool:
        """Store a new conversation; return False where it exists already, or a block has changed."""
        conversation = items.conversation_item(creation.conversation, creation.blocked_by)
        actions = [self._put(self.conversations, conversation, "attribute_not_exists(conversationId)")]
        actions += [self._put(self.members_table, items.membership_item(member)) for member in creation.members]
        if creation.group:
            actions.append(self._put(self.groups, items.group_item(creation.group)))
        actions += [self._block_check(who, whom, stands) for (who, whom), stands in creation.blocks.items()]
        actions += [outbox_put(self.outbox, record) for record in creation.outbox]
        return commit(self.client, actions, "the conversation")

    def change(self, change: GroupChange) -> bool:
        """Store a change; return False where somebody else changed the conversation meanwhile."""
        conversation_id = change.before.conversationId
        actions = [self._conversation_update(change)]
        actions += [self._put(self.members_table, items.membership_item(member)) for member in change.joined]
        actions += [
            {"Delete": {"TableName": self.members_table, "Key": member_key(user_id, conversation_id)}}
            for user_id in change.left
        ]
        actions += [self._role_update(user_id, conversation_id, role) for user_id, role in change.roles.items()]
        if change.counted:
            actions.append(self._count_update(change))
        actions += [outbox_put(self.outbox, record) for record in change.outbox]
        return commit(self.client, actions, "the group")

    def _conversation_update(self, change: GroupChange) -> dict[str, Any]:
        values = {name: getattr(change.after, name) for name in _CHANGING}
        kept = {name: value for name, value in values.items() if value is not None}
        cleared = [name for name in values if name not in kept]
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in kept)
        if cleared:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in cleared)
        return {
            "Update": {
                "TableName": self.conversations,
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

    def _role_update(self, user_id: str, conversation_id: str, role: str) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self.members_table,
                "Key": member_key(user_id, conversation_id),
                "UpdateExpression": "SET #role = :role",
                "ExpressionAttributeNames": {"#role": "role"},
                "ExpressionAttributeValues": to_item({":role": role}),
            }
        }

    def _count_update(self, change: GroupChange) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self.groups,
                "Key": to_item({"groupId": change.before.conversationId}),
                "UpdateExpression": "SET memberCount = :count, updatedAt = :now",
                "ExpressionAttributeValues": to_item(
                    {":count": len(change.after.participants), ":now": change.after.updatedAt}
                ),
            }
        }

    def _block_check(self, who: str, whom: str, stands: bool) -> dict[str, Any]:
        return {
            "ConditionCheck": {
                "TableName": self.blocks,
                "Key": to_item({"userId": who, "blockedUserId": whom}),
                "ConditionExpression": "attribute_exists(userId)" if stands else "attribute_not_exists(userId)",
            }
        }

    def _put(self, table: str, item: dict[str, Any], condition: str | None = None) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": table, "Item": to_item(item)}
        if condition:
            put["ConditionExpression"] = condition
        return {"Put": put}


def _last_message(message: Message) -> LastMessage:
    return replace(last_message(replace(message, seq=message.seq or 0)), deleted=message.deleted)
