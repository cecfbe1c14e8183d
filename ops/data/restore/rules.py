"""What is compared and copied back of each table, and which attributes only ever grow.

A restored copy is older than the live table. An item that is in both is compared by its growing attributes: numbers and
dates that no change lowers. They say which of the two is newer without knowing when either was written.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

import msgspec

from contract import tables
from contract.tables import Table


class Verdict(Enum):
    """How the live item relates to the restored one."""

    SAME = "same"
    MISSING = "missing"
    OLDER = "older"
    """Every growing attribute that differs is lower in the live item: the live item went back."""
    NEWER = "newer"
    """Every growing attribute that differs is higher in the live item: it was changed after the time of the restore."""
    MIXED = "mixed"
    """Some growing attributes went back, others went on."""
    DIFFERENT = "different"
    """No growing attribute differs, but the content does."""


class TableRule(msgspec.Struct, frozen=True, kw_only=True):
    """How one table is restored.

    Args:
        table: the table.
        grows: attributes that no change lowers.
        moves: attributes that change without a growing one; they are not compared.
        left_out: why nothing of the table is copied back; empty where it is.
    """

    table: Table
    grows: tuple[str, ...] = ()
    moves: frozenset[str] = frozenset()
    left_out: str = ""

    def verdict(self, restored: Mapping[str, Any], live: Mapping[str, Any] | None) -> Verdict:
        """Compare a restored item with the live one; None where there is none."""
        if live is None:
            return Verdict.MISSING
        behind, ahead = self.behind(restored, live), self.behind(live, restored)
        if behind and ahead:
            return Verdict.MIXED
        if behind:
            return Verdict.OLDER
        if ahead:
            return Verdict.NEWER
        return Verdict.SAME if self._compared(restored) == self._compared(live) else Verdict.DIFFERENT

    def behind(self, first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the growing attributes that are lower in the second item than in the first."""
        return tuple(name for name in self.grows if _rank(second.get(name)) < _rank(first.get(name)))

    def _compared(self, item: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in item.items() if name not in self.moves and value is not None}


def _rank(value: Any) -> tuple[float, str]:
    """Return what orders a number or an ISO date; absent is lowest."""
    if value is None:
        return -1, ""
    return (0, value) if isinstance(value, str) else (float(value), "")


_PENDING: Final = frozenset({"pendingSeq", "pendingAt", "pendingChange", "lastMessage", "lastMessageAt", "updatedAt"})
COUNTERS: Final = ("latestSeq", "latestChange", "lastTimestampMs")
"""Attributes of a conversation, or of a group's counter, that must never be used twice."""

RULES: Final[tuple[TableRule, ...]] = (
    TableRule(table=tables.ERASURES, grows=("completedAt",)),
    TableRule(table=tables.USERS, grows=("updatedAt",), moves=frozenset({"disabledAt", "emailVerified"})),
    TableRule(table=tables.CONVERSATIONS, grows=("version", *COUNTERS), moves=_PENDING),
    TableRule(
        table=tables.CONVERSATION_COUNTERS,
        grows=("version", *COUNTERS),
        moves=_PENDING | {"receiptsDueAt", "channelEpoch", "memberKeys"},
    ),
    TableRule(table=tables.GROUPS, grows=("updatedAt",), moves=frozenset({"memberCount"})),
    TableRule(table=tables.BLOCKS, grows=("version",)),
    TableRule(
        table=tables.CONVERSATION_MEMBERS,
        grows=("lastReadSeq",),
        moves=frozenset({"role", "readAt", "readFromSeq", "readCount", "hidden", "hasHidden"}),
    ),
    TableRule(table=tables.MESSAGES, grows=("latestChange",)),
    TableRule(table=tables.MESSAGE_CHANGES, moves=frozenset({"expiresAt"})),
    TableRule(table=tables.CALLS, grows=("version",), moves=frozenset({"shard", "dueAt"})),
    TableRule(table=tables.USER_CALLS),
    TableRule(table=tables.USER_SEARCH),
    TableRule(table=tables.CALL_LOCKS, left_out="a lock belongs to a call in progress"),
    TableRule(table=tables.IDEMPOTENCY, left_out="a repeated send of that age is not expected"),
    TableRule(table=tables.OUTBOX, left_out="its events would be published again"),
    TableRule(table=tables.RATE_LIMITS, left_out="its windows are over"),
)
"""The rules, in the order in which the tables are copied: an item is copied after the item that it belongs to."""
COPIED: Final = tuple(rule for rule in RULES if not rule.left_out)
