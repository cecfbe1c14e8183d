"""Instants: milliseconds since the epoch inside, ISO dates in UTC with milliseconds and `Z` outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_iso(milliseconds: int) -> str:
    """Return an instant as JavaScript's `toISOString` writes it, for example `2026-11-22T21:40:00.000Z`."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def from_iso(text: str) -> int:
    """Return the milliseconds since the epoch of an ISO date; parts below a millisecond are dropped.

    Raises:
        ValueError: the text is not an ISO date with a zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return (moment - _EPOCH) // _MILLISECOND
