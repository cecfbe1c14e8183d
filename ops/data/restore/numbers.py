"""The numbers of a conversation: found from its stored messages and changes, so that none is used twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from contract import tables
from handlers.core.messages.rules import StoredMessage, last_message
from handlers.core.shared.timestamps import from_iso
from ops.data.restore.rules import COUNTERS
from ops.data.table_access import TableAccess


def highest(live: TableAccess, conversation_id: str) -> dict[str, int]:
    """Return the highest numbers that the live tables show for a conversation.

    The newest message has the highest sequence number, since both are reserved together. Messages of the old
    application have none.
    """
    message = _newest(live, tables.MESSAGES, conversation_id) or {}
    change = _newest(live, tables.MESSAGE_CHANGES, conversation_id) or {}
    return {
        "latestSeq": message.get("seq") or 0,
        "latestChange": max(change.get("change") or 0, message.get("latestChange") or 0),
        "lastTimestampMs": from_iso(message["timestamp"]) if message else 0,
    }


def raised(live: TableAccess, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return what changes in a restored conversation or counter, so that no number is used twice.

    The greatest of the restored numbers, the live item's numbers and those of the live messages counts. A direct
    conversation also shows its newest message.
    """
    conversation_id = item["conversationId"]
    found = highest(live, conversation_id)
    table = tables.CONVERSATIONS if "participants" in item else tables.CONVERSATION_COUNTERS
    present = live.get(table, conversationId=conversation_id) or {}
    changes: dict[str, Any] = {}
    for name in COUNTERS:
        value = max(item.get(name) or 0, present.get(name) or 0, found[name])
        if value > (item.get(name) or 0) and name in _numbers_of(item):
            changes[name] = value
    newest = _newest(live, tables.MESSAGES, conversation_id)
    if newest and newest["timestamp"] > (item.get("lastMessageAt") or "") and not newest.get("voided"):
        changes["lastMessageAt"] = newest["timestamp"]
        if item.get("type") == "DM" and newest.get("seq"):
            stored = StoredMessage.of(newest).message
            shown = msgspec.structs.asdict(last_message(stored)) | {"deleted": stored.deleted}
            changes["lastMessage"] = {name: value for name, value in shown.items() if value is not None}
    return changes


def _numbers_of(item: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the numbers that an item has: those of a group are in its counter."""
    return () if item.get("type") == "GROUP" else COUNTERS


def _newest(live: TableAccess, table: tables.Table, conversation_id: str) -> dict[str, Any] | None:
    return next(iter(live.query(table, conversation_id, ScanIndexForward=False, Limit=1)), None)
