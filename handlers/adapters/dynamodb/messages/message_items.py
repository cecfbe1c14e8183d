"""The items of stored messages, and the attributes of a conversation that show its newest one."""

from __future__ import annotations

from typing import Any

import msgspec

from contract import canary
from contract.models import Message
from handlers.adapters.dynamodb.codec import to_item
from handlers.core.messages.rules import last_message
from handlers.core.shared.timestamps import from_iso

ABSENT = "attribute_not_exists(conversationId)"
"""The condition that no message and no placeholder is stored at a key."""


def message_item(message: Message, temp_id: str | None, hidden_from: frozenset[str]) -> dict[str, Any]:
    """Return the item of a new message, in DynamoDB's format."""
    item = msgspec.structs.asdict(message)
    expires = canary.expires_at(message.conversationId, from_iso(message.timestamp))
    return to_item({**item, "tempId": temp_id, "hiddenFrom": hidden_from or None, "expiresAt": expires})


def newest_values(message: Message) -> dict[str, Any]:
    """Return the values of a conversation's attributes that show its newest message."""
    shown = msgspec.structs.asdict(last_message(message))
    return {
        ":at": message.timestamp,
        ":last": {name: value for name, value in shown.items() if value is not None},
    }


def placeholder_item(conversation_id: str, timestamp: str, seq: int) -> dict[str, Any]:
    """Return the placeholder of a number without a message, in DynamoDB's format."""
    return to_item(
        {
            "conversationId": conversation_id,
            "timestamp": timestamp,
            "messageId": f"void-{conversation_id}-{seq}",
            "senderId": "",
            "type": "TEXT",
            "seq": seq,
            "readBy": [],
            "reactions": {},
            "deleted": True,
            "voided": True,
            "createdAt": timestamp,
            "expiresAt": canary.expires_at(conversation_id, from_iso(timestamp)),
        }
    )
