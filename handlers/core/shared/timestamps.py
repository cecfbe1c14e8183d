"""Timestamps: milliseconds since the epoch in the code, ISO dates in UTC with milliseconds and `Z` in the contract."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_iso(milliseconds: int) -> str:
    """Return a timestamp in the format of JavaScript's `toISOString`, for example `2026-11-22T21:40:00.000Z`."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"


def from_iso(text: str) -> int:
    """Return the milliseconds since the epoch of an ISO date; parts below a millisecond are dropped.

    Raises:
        ValueError: the text is not an ISO date with a time zone.
    """
    date = datetime.fromisoformat(text)
    if date.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return (date - _EPOCH) // _MILLISECOND
