"""The ConversationMembers table, as far as messages touch it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.adapters.dynamodb.codec import to_item
from handlers.core.messages.conversation_state import ConversationState


def member_update(table: str, state: ConversationState, user_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters that set attributes of a participant's row, for UpdateItem or a transaction.

    A conversation of the old application has no rows yet: the row is completed, so that it comes to exist. Use it
    only where the same transaction, or the read just before, makes sure that the user is a participant.
    """
    defaults = {
        "role": "ADMIN" if user_id in state.admins else "MEMBER",
        "type": "GROUP" if state.is_group else "DM",
        "joinedAt": state.created_at,
        "lastReadSeq": 0,
    }
    kept = {name: default for name, default in defaults.items() if name not in values}
    assignments = [f"#{name} = :{name}" for name in values]
    assignments += [f"#{name} = if_not_exists(#{name}, :{name})" for name in kept]
    return {
        "TableName": table,
        "Key": to_item({"userId": user_id, "conversationId": state.conversation_id}),
        "UpdateExpression": "SET " + ", ".join(assignments),
        "ExpressionAttributeNames": {f"#{name}": name for name in (*values, *kept)},
        "ExpressionAttributeValues": to_item({f":{name}": value for name, value in {**values, **kept}.items()}),
    }
