"""Precision of schedules.

Upstream: EventBridge rules and schedules are looked at every 10 seconds, so a one-time schedule fires up to ten
seconds late. AWS promises one minute, and fires within about a second; tests should not wait for nothing.
"""

from __future__ import annotations

from ministack.services import eventbridge, scheduler

TICK_SECONDS = 1


def apply() -> None:
    """Look every second."""
    scheduler._SCHEDULE_TICK_INTERVAL = TICK_SECONDS
    eventbridge._SCHEDULER_TICK_INTERVAL = TICK_SECONDS
