"""Time zone data for handler code: quickjs-ng has none, so the host answers questions about named zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def zone_answer(question: str) -> dict[str, Any]:
    """Answer one question of the engine.

    Args:
        question: ``instant|<zone>|<epoch ms>`` or ``local|<zone>|<ms of the wall clock as if it were UTC>``.

    Returns:
        ``{"offset": seconds east of UTC, "name": abbreviation}``, or ``{"error": text}``.
    """
    kind, zone_name, milliseconds = question.split("|")
    try:
        zone = ZoneInfo(zone_name)
        moment = _EPOCH + timedelta(milliseconds=float(milliseconds))
    except (ZoneInfoNotFoundError, ValueError, OSError, OverflowError):
        return {"error": f"unknown time zone or impossible time: {zone_name}"}
    there = moment.astimezone(zone) if kind == "instant" else moment.replace(tzinfo=zone)
    offset = there.utcoffset()
    assert offset is not None, "a ZoneInfo always has an offset"
    return {"offset": int(offset.total_seconds()), "name": there.tzname()}
