"""Events of meetings, as EventBridge gets them: source `aws.chime`, detail-type `Chime Meeting State Change`.

Form of the details: Chime SDK developer guide, "Understanding Amazon Chime SDK meeting lifecycle events".
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import eventbridge

from local.emulator.chime.meeting import Attendee, Meeting
from local.emulator.settings import ACCOUNT_ID

SOURCE = "aws.chime"
DETAIL_TYPE = "Chime Meeting State Change"
_WITH_NETWORK = frozenset({"AttendeeJoined", "AttendeeLeft", "AttendeeDropped"})
_LOGGER = logging.getLogger("local.chime")


def event_detail(event: str, meeting: Meeting, attendee: Attendee | None, now: float) -> dict[str, Any]:
    """The `detail` of one event.

    Args:
        event: its type without `chime:`.
        meeting: where it happened.
        attendee: whom it concerns, for events of one.
        now: seconds since the epoch.
    """
    who: dict[str, Any] = {}
    if attendee is not None:
        who = {"attendeeId": attendee.attendee_id, "externalUserId": attendee.external_user_id}
        if event in _WITH_NETWORK:
            who["networkType"] = "Voip"
    return {
        "version": "0",
        "eventType": f"chime:{event}",
        "timestamp": int(now * 1000),
        "meetingId": meeting.meeting_id,
        **who,
        "externalMeetingId": meeting.request["ExternalMeetingId"],
        "mediaRegion": meeting.request["MediaRegion"],
    }


class EventBridgeNotifier:
    """Puts events on the default bus, in their order, without keeping the caller waiting.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._queue = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chime-events")

    def __call__(self, event: str, meeting: Meeting, attendee: Attendee | None) -> None:
        """Send one event."""
        detail = event_detail(event, meeting, attendee, self._clock())
        self._queue.submit(self._put, meeting.region, detail)

    def _put(self, region: str, detail: dict[str, Any]) -> None:
        entry = {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(detail), "Resources": []}
        try:
            with request_scope(ACCOUNT_ID, region):
                eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
        except Exception:  # the thread must live on: on AWS, too, delivery is best effort
            _LOGGER.exception("event %s was lost", detail["eventType"])
