"""The updates of the ConversationMembers table by message operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.adapters.dynamodb.codec import to_item
from handlers.core.messages.conversation_state import ConversationState


def member_update(
    table: str, conversation: ConversationState, user_id: str, values: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the parameters of an update that sets attributes of a member, for UpdateItem or a transaction.

    A conversation of the old application has no members' items: the update then creates a complete item. Use it only
    in a transaction that also ensures, by a condition on the conversation, that the user is a participant: an earlier
    read does not, since a removal may come between, and the item alone lets its user into the conversation.
    """
    defaults = {
        "role": "ADMIN" if user_id in conversation.admins else "MEMBER",
        "type": "GROUP" if conversation.is_group else "DM",
        "joinedAt": conversation.created_at,
        "lastReadSeq": 0,
    }
    kept = {name: default for name, default in defaults.items() if name not in values}
    assignments = [f"#{name} = :{name}" for name in values]
    assignments += [f"#{name} = if_not_exists(#{name}, :{name})" for name in kept]
    return {
        "TableName": table,
        "Key": to_item({"userId": user_id, "conversationId": conversation.conversation_id}),
        "UpdateExpression": "SET " + ", ".join(assignments),
        "ExpressionAttributeNames": {f"#{name}": name for name in (*values, *kept)},
        "ExpressionAttributeValues": to_item({f":{name}": value for name, value in {**values, **kept}.items()}),
    }
