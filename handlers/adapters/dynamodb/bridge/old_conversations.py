"""Stores the memberships of conversations that the old application created: it stored none."""

from __future__ import annotations

from typing import Any, Final

from handlers.adapters.dynamodb.bridge.tables import BridgeTables
from handlers.adapters.dynamodb.client import write_single
from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.conversations.reader import conversation_key, unchanged
from handlers.adapters.dynamodb.messages.members import member_update
from handlers.adapters.dynamodb.reads import get_item
from handlers.adapters.dynamodb.transactions import commit
from handlers.core.bridge.ports import OldConversations
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.shared.errors import UnavailableError

_STORED: Final = "membersStored"
_BATCH: Final = 90
"""Memberships in one transaction, of at most 100 actions (Amazon DynamoDB: TransactWriteItems)."""


class DynamoOldConversations(OldConversations):
    """Stores memberships, each in a transaction that checks that the conversation has not changed."""

    def __init__(self, client: Any, tables: BridgeTables) -> None:
        self._client = client
        self._tables = tables

    def store_members(self, conversation: ConversationState) -> bool:
        if conversation.version or self._known(conversation):
            return False
        participants = conversation.participants
        for start in range(0, len(participants), _BATCH):
            self._store(conversation, participants[start : start + _BATCH])
        request = {
            "TableName": self._tables.conversations,
            "Key": conversation_key(conversation.conversation_id),
            "UpdateExpression": f"SET {_STORED} = :true",
            "ConditionExpression": "attribute_exists(conversationId)",
            "ExpressionAttributeValues": to_item({":true": True}),
        }
        write_single(lambda: self._client.update_item(**request), "the conversation")
        return True

    def _known(self, conversation: ConversationState) -> bool:
        key = {"conversationId": conversation.conversation_id}
        item = get_item(self._client, self._tables.conversations, key, "the conversation")
        return item is None or bool(item.get(_STORED))

    def _store(self, conversation: ConversationState, user_ids: tuple[str, ...]) -> None:
        check = {
            "TableName": self._tables.conversations,
            "Key": conversation_key(conversation.conversation_id),
            "ConditionExpression": (
                f"attribute_exists(conversationId) AND {unchanged('version', conversation.version, ':version')}"
            ),
            "ExpressionAttributeValues": to_item({":version": conversation.version}),
        }
        rows = [{"Update": member_update(self._tables.members, conversation, each, {})} for each in user_ids]
        if not commit(self._client, [{"ConditionCheck": check}, *rows], "the members"):
            raise UnavailableError("the conversation is being changed just now; try again")
