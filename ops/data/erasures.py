"""The list of erasures: who must stay erased, also after a restore.

The list holds a SHA-256 hash of each user id. A user id is a random UUID, so the hash cannot be traced back to it, but
whether a given user id is on the list can be checked.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from contract import tables
from handlers.adapters.dynamodb.codec import to_item
from ops.data.table_access import TableAccess


def subject(user_id: str) -> str:
    """Return the key of a user in the list."""
    return hashlib.sha256(user_id.encode()).hexdigest()


def iso_now() -> str:
    """Return the present time as an ISO date with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class ErasureList:
    """The list of one environment. It is read once, when it is first asked."""

    def __init__(self, tables_of: TableAccess) -> None:
        self._tables = tables_of
        self._known: set[str] | None = None

    def __contains__(self, user_id: str) -> bool:
        """Return whether a user was erased, or is being erased."""
        if self._known is None:
            self._known = {item["subject"] for item in self._tables.scan(tables.ERASURES)}
        return subject(user_id) in self._known

    def begin(self, user_id: str) -> bool:
        """Record that a person is being erased; return False where the list has the person."""
        item = {"subject": subject(user_id), "requestedAt": iso_now()}
        self._known = None
        return self._tables.put(tables.ERASURES, to_item(item), "attribute_not_exists(subject)")

    def complete(self, user_id: str) -> None:
        """Record that every step is done."""
        key = {"subject": subject(user_id)}
        self._tables.update(tables.ERASURES, key, "SET completedAt = :now", "attribute_exists(subject)", now=iso_now())
