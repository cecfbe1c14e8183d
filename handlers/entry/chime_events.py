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

from handlers.core.calls.reconcile import MeetingReconciler
from handlers.entry import logs
from handlers.entry.calls_wiring import AwsServices, parts, services
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


def wire(settings: ChimeEventsSettings, given: AwsServices) -> MeetingReconciler:
    """Return the rule on top of the given services."""
    made = parts(settings, given)
    return MeetingReconciler(made.calls, made.transitions, given.clock)


def consumer(reconciling: Callable[[], MeetingReconciler]) -> Callable[[Mapping[str, Any], Any], None]:
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
def _reconciling() -> MeetingReconciler:
    settings = ChimeEventsSettings.load()
    return wire(settings, services(settings))


handle = consumer(_reconciling)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _reconciling()
