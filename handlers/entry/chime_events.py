"""What Chime tells of its meetings, by EventBridge (Amazon Chime SDK: meeting lifecycle events).

EventBridge invokes this function asynchronously: where it fails, Lambda repeats it twice, and then the event goes to
the dead letters. The sweep finds what was missed either way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec

from handlers.core.call_reconciling import Reconciling
from handlers.entry import logs
from handlers.entry.call_parts import Services, parts, services
from handlers.settings import ChimeEventsSettings


class MeetingEnded(msgspec.Struct, tag="chime:MeetingEnded", tag_field="eventType"):
    """A meeting is over; the service sends this too when we delete it."""

    meetingId: str  # noqa: N815  # wire names
    externalMeetingId: str  # noqa: N815


class AttendeeLeft(msgspec.Struct, tag="chime:AttendeeLeft", tag_field="eventType"):
    """Somebody hung up in the meeting, or was taken out of it; `timestamp` is in milliseconds since the epoch."""

    meetingId: str  # noqa: N815
    externalMeetingId: str  # noqa: N815
    attendeeId: str  # noqa: N815
    externalUserId: str  # noqa: N815
    timestamp: int


def wire(settings: ChimeEventsSettings, given: Services) -> Reconciling:
    """Return the rule on top of the given services."""
    made = parts(settings, given)
    return Reconciling(made.calls, made.transitions, given.clock)


def consumer(reconciling: Callable[[], Reconciling]) -> Callable[[Mapping[str, Any], Any], None]:
    """Return the Lambda handler: brings one event into the call's record, and fails where it must come again."""
    logger = logs.configure()

    def handle(event: Mapping[str, Any], context: Any) -> None:
        detail = msgspec.convert(event["detail"], MeetingEnded | AttendeeLeft)
        if isinstance(detail, MeetingEnded):
            reconciling().meeting_ended(detail.externalMeetingId, detail.meetingId)
        else:
            reconciling().attendee_left(
                detail.externalMeetingId, detail.externalUserId, detail.attendeeId, detail.timestamp
            )
        logs.info(logger, "reconciled", eventType=event["detail"]["eventType"], sessionId=detail.externalMeetingId)

    return handle


@cache
def _reconciling() -> Reconciling:
    settings = ChimeEventsSettings.load()
    return wire(settings, services(settings))


handle = consumer(_reconciling)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _reconciling()
