"""Repeats the erasures after a restore: what a backup brought back of an erased person is erased again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from contract import tables
from contract.tables import Table
from ops.data.erase.erasure import Erasure
from ops.data.erase.person import FORMER
from ops.data.erasures import ErasureList
from ops.data.pace import Pace
from ops.data.table_access import TableAccess

_USERS_OF: Final[tuple[tuple[Table, str], ...]] = (
    (tables.USERS, "userId"),
    (tables.CONVERSATION_MEMBERS, "userId"),
    (tables.MESSAGES, "senderId"),
    (tables.USER_CALLS, "userId"),
    (tables.USER_SEARCH, "userId"),
    (tables.BLOCKS, "userId"),
)
"""Attributes in which the user ids of erased persons can come back."""


def returned(live: TableAccess) -> list[str]:
    """Return the user ids on the list of erasures of whom the tables have more than a tombstone."""
    erasures = ErasureList(live)
    seen: dict[str, bool] = {}
    for table, attribute in _USERS_OF:
        for item in live.scan(table):
            user_id = item[attribute]
            if user_id and not seen.get(user_id) and user_id in erasures:
                seen[user_id] = _has_content(table, item)
    return sorted(user_id for user_id, found in seen.items() if found)


def _has_content(table: Table, item: dict[str, Any]) -> bool:
    if table is tables.USERS:
        return item.get("fullName") != FORMER or "email" in item
    if table is tables.MESSAGES:
        return not item.get("deleted") or "content" in item
    return True


def replay(live: TableAccess, user_ids: Iterable[str], pace: Pace) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """Erase persons again; yield each with the counts of the steps. Their accounts are gone already."""
    for user_id in user_ids:
        yield user_id, Erasure(user_id, live, None).run(pace)
