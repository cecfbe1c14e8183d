"""Reads conversations and memberships for the conversation operations."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.conversations import items
from handlers.adapters.dynamodb.reads import batch_get, count, get_item, query
from handlers.core.conversations.ports import ConversationRows, Membership, StoredConversation


class DynamoStoredConversations:
    """Reads the Conversations table consistently."""

    def __init__(self, *, client: Any, conversations: str) -> None:
        self._client = client
        self._conversations = conversations

    def get(self, conversation_id: str) -> StoredConversation | None:
        """Read one conversation; None where it does not exist."""
        item = get_item(self._client, self._conversations, {"conversationId": conversation_id}, "the conversation")
        return items.stored_conversation(item) if item else None

    def get_many(self, conversation_ids: Collection[str]) -> Mapping[str, StoredConversation]:
        """Read many conversations; those that do not exist are left out."""
        keys = ({"conversationId": conversation_id} for conversation_id in conversation_ids)
        found = batch_get(self._client, self._conversations, keys, "the conversations")
        return {item["conversationId"]: items.stored_conversation(item) for item in found}


class DynamoConversationRows(DynamoStoredConversations, ConversationRows):
    """Reads conversations and memberships consistently. The arguments besides the client are table names."""

    def __init__(self, *, client: Any, conversations: str, members_table: str) -> None:
        super().__init__(client=client, conversations=conversations)
        self._members_table = members_table

    def memberships(self, user_id: str) -> list[Membership]:
        request = {
            "TableName": self._members_table,
            "KeyConditionExpression": "userId = :user",
            "ExpressionAttributeValues": to_item({":user": user_id}),
            "ConsistentRead": True,
        }
        return [items.membership(item) for item in query(self._client, request, "the list of conversations")]

    def count_memberships(self, user_id: str) -> int:
        return count(self._client, self._members_table, "userId", user_id, "the number of conversations")

    def members(self, conversation_id: str, user_ids: Collection[str]) -> Mapping[str, Membership]:
        keys = ({"userId": user_id, "conversationId": conversation_id} for user_id in user_ids)
        found = batch_get(self._client, self._members_table, keys, "the members")
        return {item["userId"]: items.membership(item) for item in found}


def member_key(user_id: str, conversation_id: str) -> dict[str, Any]:
    """Return the key of a membership in DynamoDB's format."""
    return to_item({"userId": user_id, "conversationId": conversation_id})
