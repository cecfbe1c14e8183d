"""The Blocks table, and what a block changes in the direct conversation (`handlers.core.users.ports.Blocks`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from handlers.adapters.dynamodb.batches import batch_get, count, query
from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.conversations.reader import unchanged
from handlers.adapters.dynamodb.conversations.rows import member_key
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.dynamodb.transactions import commit
from handlers.core.users.ports import BlockChange


class DynamoBlockPairs(msgspec.Struct, frozen=True, kw_only=True):
    """Reads blocks (`handlers.core.conversations.ports.BlockPairs`)."""

    client: Any
    blocks: str

    def between(self, first: str, second: str) -> Mapping[tuple[str, str], bool]:
        """Return, for both directions (who, whom), whether the block stands."""
        pairs = dict.fromkeys(((first, second), (second, first)), False)
        keys = [{"userId": who, "blockedUserId": whom} for who, whom in pairs]
        for item in batch_get(self.client, self.blocks, keys, "the blocks"):
            pairs[item["userId"], item["blockedUserId"]] = True
        return pairs


class DynamoBlocks(DynamoBlockPairs, frozen=True, kw_only=True):
    """Reads and writes blocks. The fields besides the client are table names."""

    conversations: str
    members: str
    outbox: str

    def blocked_by(self, user_id: str) -> list[str]:
        """Return the users whom one user has blocked, read consistently."""
        request = {
            "TableName": self.blocks,
            "KeyConditionExpression": "userId = :user",
            "ExpressionAttributeValues": to_item({":user": user_id}),
            "ConsistentRead": True,
        }
        return [item["blockedUserId"] for item in query(self.client, request, "the blocked users")]

    def count(self, user_id: str) -> int:
        """Return how many users one user has blocked."""
        return count(self.client, self.blocks, "userId", user_id, "the number of blocked users")

    def change(self, change: BlockChange) -> bool:
        """Store a change; return False where the block or the conversation has changed meanwhile."""
        actions = [self._block(change), self._conversation(change)]
        if change.reveal:
            actions.append(self._reveal(change))
        actions += [outbox_put(self.outbox, record) for record in change.outbox]
        return commit(self.client, actions, "the block")

    def _block(self, change: BlockChange) -> dict[str, Any]:
        key = {"userId": change.who, "blockedUserId": change.whom}
        if change.stands:
            return {
                "Put": {
                    "TableName": self.blocks,
                    "Item": to_item({**key, "createdAt": change.now}),
                    "ConditionExpression": "attribute_not_exists(userId)",
                }
            }
        return {
            "Delete": {
                "TableName": self.blocks,
                "Key": to_item(key),
                "ConditionExpression": "attribute_exists(userId)",
            }
        }

    def _conversation(self, change: BlockChange) -> dict[str, Any]:
        target = {"TableName": self.conversations, "Key": to_item({"conversationId": change.conversation_id})}
        if change.known is None:
            return {"ConditionCheck": {**target, "ConditionExpression": "attribute_not_exists(conversationId)"}}
        version = change.known.conversation.version
        return {
            "Update": {
                **target,
                "UpdateExpression": f"SET #version = :after {'ADD' if change.stands else 'DELETE'} blockedBy :who",
                "ConditionExpression": (
                    f"attribute_exists(conversationId) AND {unchanged('#version', version, ':before')}"
                ),
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": to_item(
                    {":before": version, ":after": version + 1, ":who": frozenset({change.who})}
                ),
            }
        }

    def _reveal(self, change: BlockChange) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self.members,
                "Key": member_key(change.who, change.conversation_id),
                "UpdateExpression": "REMOVE #hidden",
                "ExpressionAttributeNames": {"#hidden": "hidden"},
                "ConditionExpression": "attribute_exists(userId)",
            }
        }
