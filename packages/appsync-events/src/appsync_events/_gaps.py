"""Gaps: places in a subscription where events are missing."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class GapReason(enum.Enum):
    """Why events of a subscription are missing, or may be missing."""

    RECONNECTED = "the connection was lost; events published until the reconnection are missing"
    NOT_DELIVERED = "the Event API reported that it could not deliver an event"
    SLOW_CONSUMER = "the stream's buffer was full; the oldest events were discarded"


@dataclass(frozen=True)
class Gap:
    """A place in a subscription where events are missing, or may be missing.

    The API stores no events: read the missing ones from the application's own store.

    Attributes:
        reason: why they are missing.
        lost: how many are missing, if known.
    """

    reason: GapReason
    lost: int | None = None
