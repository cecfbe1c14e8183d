"""Reading conversations and their members' rows (`handlers.core.conversations.ports.ConversationRows`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from handlers.adapters.dynamodb.batches import batch_get, count, get_item, query
from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.conversations import items
from handlers.core.conversations.ports import Membership, StoredConversation


class DynamoStoredConversations(msgspec.Struct, frozen=True, kw_only=True):
    """Reads conversations, consistently. `conversations` is the table's name."""

    client: Any
    conversations: str

    def get(self, conversation_id: str) -> StoredConversation | None:
        """Read one conversation."""
        item = get_item(self.client, self.conversations, {"conversationId": conversation_id}, "the conversation")
        return items.stored_conversation(item) if item else None

    def get_many(self, conversation_ids: Collection[str]) -> Mapping[str, StoredConversation]:
        """Read many conversations at once; those that do not exist are left out."""
        keys = ({"conversationId": conversation_id} for conversation_id in conversation_ids)
        found = batch_get(self.client, self.conversations, keys, "the conversations")
        return {item["conversationId"]: items.stored_conversation(item) for item in found}


class DynamoConversationRows(DynamoStoredConversations, frozen=True, kw_only=True):
    """Reads conversations and memberships, consistently. The fields besides the client are table names."""

    members_table: str

    def memberships(self, user_id: str) -> list[Membership]:
        """Read all rows of one user."""
        request = {
            "TableName": self.members_table,
            "KeyConditionExpression": "userId = :user",
            "ExpressionAttributeValues": to_item({":user": user_id}),
            "ConsistentRead": True,
        }
        return [items.membership(item) for item in query(self.client, request, "the list of conversations")]

    def count_memberships(self, user_id: str) -> int:
        """Return how many rows one user has."""
        return count(self.client, self.members_table, "userId", user_id, "the number of conversations")

    def members(self, conversation_id: str, user_ids: Collection[str]) -> Mapping[str, Membership]:
        """Read the rows of some users of one conversation; those that do not exist are left out."""
        keys = ({"userId": user_id, "conversationId": conversation_id} for user_id in user_ids)
        found = batch_get(self.client, self.members_table, keys, "the members")
        return {item["userId"]: items.membership(item) for item in found}


def member_key(user_id: str, conversation_id: str) -> dict[str, Any]:
    """Return the key of a member's row as the wire has it."""
    return to_item({"userId": user_id, "conversationId": conversation_id})
