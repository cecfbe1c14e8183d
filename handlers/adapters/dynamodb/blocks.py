"""The table Blocks, and the part of a direct conversation that a block changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from handlers.adapters.dynamodb.client import reading
from handlers.adapters.dynamodb.codec import from_item, to_item
from handlers.adapters.dynamodb.conversations.reader import unchanged
from handlers.adapters.dynamodb.conversations.rows import member_key
from handlers.adapters.dynamodb.outbox import outbox_put
from handlers.adapters.dynamodb.reads import batch_get, count, query
from handlers.adapters.dynamodb.transactions import commit
from handlers.core.conversations.ports import BlockReader
from handlers.core.users.ports import BlockChange, BlockStore


class DynamoBlockReader(BlockReader):
    """Reads blocks.

    Args:
        client: the `dynamodb` client.
        blocks: name of the table Blocks.
    """

    def __init__(self, *, client: Any, blocks: str) -> None:
        self._client = client
        self._blocks = blocks

    def version(self, user_id: str) -> int:
        with reading("the blocks"):
            answer = self._client.get_item(TableName=self._blocks, Key=blocks_version_key(user_id), ConsistentRead=True)
        return from_item(answer["Item"])["version"] if "Item" in answer else 0

    def between(self, first: str, second: str) -> Mapping[tuple[str, str], bool]:
        pairs = dict.fromkeys(((first, second), (second, first)), False)
        keys = [{"userId": blocker, "blockedUserId": blocked} for blocker, blocked in pairs]
        for item in batch_get(self._client, self._blocks, keys, "the blocks"):
            pairs[item["userId"], item["blockedUserId"]] = True
        return pairs

    def blockers(self, user_id: str, others: Collection[str]) -> Collection[str]:
        keys = [{"userId": other, "blockedUserId": user_id} for other in dict.fromkeys(others)]
        return {item["userId"] for item in batch_get(self._client, self._blocks, keys, "the blocks")}


class DynamoBlockStore(DynamoBlockReader, BlockStore):
    """Reads and writes blocks.

    Args:
        client: the `dynamodb` client.
        blocks, conversations, members, outbox: names of the tables.
    """

    def __init__(self, *, client: Any, blocks: str, conversations: str, members: str, outbox: str) -> None:
        super().__init__(client=client, blocks=blocks)
        self._conversations = conversations
        self._members = members
        self._outbox = outbox

    def blocked_by(self, user_id: str) -> list[str]:
        request = {
            "TableName": self._blocks,
            "KeyConditionExpression": "userId = :user",
            "ExpressionAttributeValues": to_item({":user": user_id}),
            "ConsistentRead": True,
        }
        return [item["blockedUserId"] for item in query(self._client, request, "the blocked users")]

    def count(self, user_id: str) -> int:
        return count(self._client, self._blocks, "userId", user_id, "the number of blocked users")

    def change(self, change: BlockChange) -> bool:
        actions = [self._block(change), self._version(change), self._conversation(change)]
        if change.reveal:
            actions.append(self._reveal(change))
        actions += [outbox_put(self._outbox, record) for record in change.outbox]
        return commit(self._client, actions, "the block")

    def _block(self, change: BlockChange) -> dict[str, Any]:
        key = {"userId": change.blocker, "blockedUserId": change.blocked}
        if change.active:
            return {
                "Put": {
                    "TableName": self._blocks,
                    "Item": to_item({**key, "createdAt": change.now}),
                    "ConditionExpression": "attribute_not_exists(userId)",
                }
            }
        return {
            "Delete": {
                "TableName": self._blocks,
                "Key": to_item(key),
                "ConditionExpression": "attribute_exists(userId)",
            }
        }

    def _version(self, change: BlockChange) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._blocks,
                "Key": blocks_version_key(change.blocked),
                "UpdateExpression": "ADD version :one",
                "ExpressionAttributeValues": to_item({":one": 1}),
            }
        }

    def _conversation(self, change: BlockChange) -> dict[str, Any]:
        target = {"TableName": self._conversations, "Key": to_item({"conversationId": change.conversation_id})}
        if change.conversation is None:
            return {"ConditionCheck": {**target, "ConditionExpression": "attribute_not_exists(conversationId)"}}
        version = change.conversation.conversation.version
        return {
            "Update": {
                **target,
                "UpdateExpression": f"SET #version = :after {'ADD' if change.active else 'DELETE'} blockedBy :blocker",
                "ConditionExpression": (
                    f"attribute_exists(conversationId) AND {unchanged('#version', version, ':before')}"
                ),
                "ExpressionAttributeNames": {"#version": "version"},
                "ExpressionAttributeValues": to_item(
                    {":before": version, ":after": version + 1, ":blocker": frozenset({change.blocker})}
                ),
            }
        }

    def _reveal(self, change: BlockChange) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._members,
                "Key": member_key(change.blocker, change.conversation_id),
                "UpdateExpression": "REMOVE #hidden",
                "ExpressionAttributeNames": {"#hidden": "hidden"},
                "ConditionExpression": "attribute_exists(userId)",
            }
        }


def blocks_version_key(user_id: str) -> dict[str, Any]:
    """Return the key of the item that counts the blocks and unblocks of a user. No user id begins with `#`."""
    return to_item({"userId": f"#{user_id}", "blockedUserId": "#"})
