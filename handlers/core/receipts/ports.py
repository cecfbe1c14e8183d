"""The ports of read receipts. See `handlers.core.delivery.ports` for the meaning of a write's failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec


class ReceiptWindows(Protocol):
    """The windows in which the read marks of a group are collected. At most one is open for each group."""

    def open(self, conversation_id: str, until: int, due: int) -> int | None:
        """Open a window, unless another one that is due after `until` is open.

        Args:
            until: milliseconds since the epoch.
            due: when the window's read marks are published, in milliseconds since the epoch.

        Returns:
            When the window before it was due; 0 for the first one. None where another request has opened a window.
        """
        ...


class MovedMark(msgspec.Struct, frozen=True, kw_only=True):
    """A read mark that moved.

    Args:
        from_seq: the read mark before it moved.
        seq: the read mark.
        read_at: when a request last moved it, in milliseconds since the epoch.
    """

    from_seq: int
    seq: int
    read_at: int


class ReceiptReader(Protocol):
    """Reads what is published about read marks."""

    def moved_marks(
        self, conversation_id: str, user_ids: Sequence[str], since: int, until: int
    ) -> Mapping[str, MovedMark]:
        """Read the marks that moved at or after `since` and before `until`, consistently, by user id."""
        ...

    def newest_senders(self, conversation_id: str) -> Sequence[tuple[int, str]]:
        """Read sequence number and sender of the newest messages."""
        ...
