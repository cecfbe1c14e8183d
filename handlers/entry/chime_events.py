"""The function of Chime's events, which EventBridge delivers (Amazon Chime SDK: meeting lifecycle events).

EventBridge invokes this function asynchronously: where it fails, Lambda retries it twice and then sends the event to
the dead-letter queue. The sweep handles calls whose event was lost.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec

from handlers.core.calls.reconcile import MeetingReconciler
from handlers.core.shared import correlation
from handlers.entry import logs
from handlers.entry.calls_wiring import AwsServices, aws_services, call_services
from handlers.settings import ChimeEventsSettings


class MeetingEnded(msgspec.Struct, tag="chime:MeetingEnded", tag_field="eventType"):
    """A meeting has ended. Chime sends the event also when the meeting was deleted through the API."""

    meetingId: str  # noqa: N815  # wire names
    externalMeetingId: str  # noqa: N815


class AttendeeLeft(msgspec.Struct, tag="chime:AttendeeLeft", tag_field="eventType"):
    """An attendee left the meeting or was removed from it; `timestamp` is in milliseconds since the epoch."""

    meetingId: str  # noqa: N815
    externalMeetingId: str  # noqa: N815
    attendeeId: str  # noqa: N815
    externalUserId: str  # noqa: N815
    timestamp: int


def wire(settings: ChimeEventsSettings, aws: AwsServices) -> MeetingReconciler:
    """Return the reconciler with the given services."""
    calls = call_services(settings, aws)
    return MeetingReconciler(calls.store, calls.executor, aws.clock)


def consumer(reconciler: Callable[[], MeetingReconciler]) -> Callable[[Mapping[str, Any], Any], None]:
    """Return the Lambda handler, which applies one event, and fails where it must be delivered again.

    The event's id is the correlation id.
    """
    logger = logs.configure()

    def handle(event: Mapping[str, Any], context: Any) -> None:
        with correlation.scope(event.get("id")):
            _apply(event)

    def _apply(event: Mapping[str, Any]) -> None:
        detail = msgspec.convert(event["detail"], MeetingEnded | AttendeeLeft)
        if isinstance(detail, MeetingEnded):
            reconciler().meeting_ended(detail.externalMeetingId, detail.meetingId)
        else:
            reconciler().attendee_left(
                detail.externalMeetingId, detail.externalUserId, detail.attendeeId, detail.timestamp
            )
        logs.info(
            logger, "Chime event applied", eventType=event["detail"]["eventType"], sessionId=detail.externalMeetingId
        )

    return handle


@cache
def _reconciler() -> MeetingReconciler:
    settings = ChimeEventsSettings.load()
    return wire(settings, aws_services(settings))


handle = consumer(_reconciler)

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _reconciler()
