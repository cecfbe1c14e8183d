"""Keys of outbox records, and the slices of their recipients: what functions and support look-ups compute alike."""

from __future__ import annotations

from typing import Final
from zlib import crc32

from contract.limits import DUE_SHARDS

SEND_PREFIX: Final = "send#"
"""Beginning of the key of a direct message's record, which stays after the delivery as the record of its tempId."""
_UNSHARDED: Final = "due"
"""The value of `shard` in items stored before the index ByDue was spread."""


def send_record_id(conversation_id: str, sender_id: str, temp_id: str) -> str:
    """Return the key of the outbox record that accepts a direct message.

    Args:
        conversation_id: the conversation.
        sender_id: the sender.
        temp_id: the message's tempId; its message id where it has none.
    """
    return f"{SEND_PREFIX}{conversation_id}#{sender_id}#{temp_id}"


def slice_number(user_id: str, slices: int) -> int:
    """Return the slice of a participant, of an event for an audience.

    Args:
        user_id: the participant.
        slices: number of slices.
    """
    return crc32(user_id.encode()) % slices


def due_shard(key: str) -> str:
    """Return the value of `shard` for an item, by its partition key: always the same for the same key."""
    return f"{_UNSHARDED}#{crc32(key.encode()) % DUE_SHARDS}"


def due_shards() -> tuple[str, ...]:
    """Return every value of `shard`."""
    return (_UNSHARDED, *(f"{_UNSHARDED}#{number}" for number in range(DUE_SHARDS)))
