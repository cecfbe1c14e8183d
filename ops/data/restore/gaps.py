"""Fills numbers whose message is lost for good with placeholders, so that no client waits for them.

A client that misses a sequence number requests it again and again. The product stores a placeholder for a number
without a message; a number whose message is in no backup gets one too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from contract import tables
from handlers.adapters.dynamodb.messages.message_items import placeholder_item
from handlers.core.shared.timestamps import from_iso, to_iso
from ops.data.pace import Pace
from ops.data.restore.job_files import Audit
from ops.data.table_access import TableAccess


class Gap(msgspec.Struct, frozen=True):
    """A number without a message.

    Args:
        conversation_id: its conversation.
        seq: the sequence number.
        timestamp: a free timestamp between those of its neighbours, in epoch milliseconds; None where there is none.
    """

    conversation_id: str
    seq: int
    timestamp: int | None


def find(live: TableAccess) -> Iterator[Gap]:
    """Yield every gap in the numbers of every conversation; a reserved number that is pending is none."""
    for conversation in live.scan(tables.CONVERSATIONS):
        conversation_id, counter = conversation["conversationId"], conversation
        if conversation.get("type") == "GROUP":
            counter = live.get(tables.CONVERSATION_COUNTERS, conversationId=conversation_id) or {}
        yield from _gaps(live, conversation_id, counter)


def _gaps(live: TableAccess, conversation_id: str, counter: dict[str, Any]) -> Iterator[Gap]:
    pending = set((counter.get("pendingSeq") or {}).values())
    latest, last = counter.get("latestSeq") or 0, counter.get("lastTimestampMs") or 0
    number, before = 0, 0
    for item in live.query(tables.MESSAGES, conversation_id):
        at = from_iso(item["timestamp"])
        if item.get("seq"):
            yield from _between(conversation_id, pending, (number, before), (item["seq"], at))
            number = max(number, item["seq"])
        before = at
    yield from _between(conversation_id, pending, (number, before), (latest + 1, max(last, before + latest) + 1))


def _between(conversation_id: str, pending: set[int], before: tuple[int, int], after: tuple[int, int]) -> Iterator[Gap]:
    """Yield the gaps between two stored messages, each a number with a timestamp."""
    missing = range(before[0] + 1, after[0])
    start = max(before[1] + 1, after[1] - len(missing))
    for place, seq in enumerate(missing):
        if seq not in pending:
            yield Gap(conversation_id, seq, start + place if start + place < after[1] else None)


def fill(live: TableAccess, pace: Pace, audit: Audit) -> tuple[int, list[Gap]]:
    """Store a placeholder in every gap; return how many, and the gaps that have no free timestamp."""
    filled, left = 0, []
    for gap in list(find(live)):
        if gap.timestamp is None:
            left.append(gap)
            continue
        pace.before_write()
        item = placeholder_item(gap.conversation_id, to_iso(gap.timestamp), gap.seq)
        if live.put(tables.MESSAGES, item, "attribute_not_exists(conversationId)"):
            filled += 1
            key = {"conversationId": gap.conversation_id, "timestamp": to_iso(gap.timestamp)}
            audit.write(tables.MESSAGES.entity, key, f"placeholder {gap.seq}")
        pace.report(f"{filled} gaps filled")
    return filled, left
