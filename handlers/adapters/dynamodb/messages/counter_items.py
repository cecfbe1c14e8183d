"""The items of counters: their creation, and their change with a group's members."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any

from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.messages.conditional import ConditionFailedError, ConflictError, conditional
from handlers.adapters.dynamodb.messages.member_keys import member_keys
from handlers.adapters.dynamodb.messages.reservations import PAUSE_SECONDS, TRIES
from handlers.adapters.dynamodb.reads import get_item
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.shared.timestamps import from_iso


def create_counter(client: Any, counters: str, conversations: str, conversation: ConversationState) -> None:
    """Create the counter of a conversation, or what it lacks, from the numbers in the conversation."""
    key = {"conversationId": conversation.conversation_id}
    stored = get_item(client, conversations, key, "the conversation") or {}
    at = stored.get("lastMessageAt")
    request: dict[str, Any] = {
        "TableName": counters if conversation.is_group else conversations,
        "Key": to_item(key),
        **counter_creation(
            version=stored.get("version") or 0,
            latest_seq=stored.get("latestSeq") or 0,
            latest_change=stored.get("latestChange") or 0,
            last_timestamp=from_iso(at) if at else 0,
            last_message_at=at if stored.get("lastMessage") else None,
            participants=stored.get("participants") or () if conversation.is_group else (),
            channel_epoch=str(uuid.uuid4()) if conversation.is_group else None,
        ),
    }
    if not conversation.is_group:
        request["ConditionExpression"] = "attribute_exists(conversationId)"
    for _ in range(TRIES):
        try:
            with conditional("the counter"):
                client.update_item(**request)
            return
        except ConditionFailedError:
            return
        except ConflictError:
            time.sleep(PAUSE_SECONDS)


def counter_creation(
    *,
    version: int,
    latest_seq: int,
    latest_change: int,
    last_timestamp: int,
    last_message_at: str | None,
    participants: Sequence[str],
    channel_epoch: str | None,
) -> dict[str, Any]:
    """Return the expressions of an update that creates a counter; they change nothing of one that exists."""
    keys = member_keys(participants)
    values = {
        **({"memberKeys": keys} if keys else {}),
        "version": version,
        "latestSeq": latest_seq,
        "latestChange": latest_change,
        "lastTimestampMs": last_timestamp,
        "pendingSeq": {},
        "pendingAt": {},
        "pendingChange": {},
        **({"lastMessageAt": last_message_at} if last_message_at else {}),
        **({"channelEpoch": channel_epoch} if channel_epoch else {}),
    }
    return {
        "UpdateExpression": "SET " + ", ".join(f"#{name} = if_not_exists(#{name}, :{name})" for name in values),
        "ExpressionAttributeNames": {f"#{name}": name for name in values},
        "ExpressionAttributeValues": to_item({f":{name}": value for name, value in values.items()}),
    }


def counter_change(version: int, participants: Sequence[str], channel_epoch: str | None = None) -> dict[str, Any]:
    """Return the expressions of an update after a change of a group; without an epoch, the channel stays."""
    keys = member_keys(participants)
    epoch = ", channelEpoch = :epoch" if channel_epoch else ""
    members = ", memberKeys = :keys" if keys else " REMOVE memberKeys"
    values = {":version": version, ":keys": keys, ":epoch": channel_epoch}
    return {
        "UpdateExpression": f"SET version = :version{epoch}{members}",
        "ExpressionAttributeValues": to_item(values),
    }
