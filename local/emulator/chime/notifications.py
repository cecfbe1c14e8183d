"""Events of meetings, as EventBridge gets them: source `aws.chime`, detail-type `Chime Meeting State Change`.

Form of the details: Chime SDK developer guide, "Understanding Amazon Chime SDK meeting lifecycle events".
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import eventbridge

from local.emulator.chime.meeting import Attendee, Meeting
from local.emulator.settings import ACCOUNT_ID
from local.emulator.strict.chance import Chance
from local.emulator.strict.rules.chime import ChimeSwitches

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
    """Puts events on the default bus without keeping the caller waiting: in their order, except late and second ones.

    Args:
        clock: seconds since the epoch.
        rules: returns the present rules.
        put: puts an event of a region on the bus.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        rules: Callable[[], ChimeSwitches],
        put: Callable[[str, dict[str, Any]], None] | None = None,
    ) -> None:
        self._clock, self._rules, self._put = clock, rules, put or put_on_bus
        self._chance = Chance(lambda: rules().event_seed)
        self._queue = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chime-events")

    def __call__(self, event: str, meeting: Meeting, attendee: Attendee | None) -> None:
        """Send one event."""
        detail = event_detail(event, meeting, attendee, self._clock())
        rules = self._rules()
        if rules.late_events and self._chance.strikes(rules.late_event_share):
            self._send_late(meeting.region, detail, rules.late_seconds)
        else:
            self._queue.submit(self._put, meeting.region, detail)
        if rules.duplicate_events and self._chance.strikes(rules.duplicate_event_share):
            self._send_late(meeting.region, detail, rules.late_seconds)

    def _send_late(self, region: str, detail: dict[str, Any], longest: float) -> None:
        timer = threading.Timer(self._chance.between(0.0, longest), self._put, (region, detail))
        timer.daemon = True
        timer.start()


def put_on_bus(region: str, detail: dict[str, Any]) -> None:
    """Put an event on the default bus of a region."""
    entry = {"Source": SOURCE, "DetailType": DETAIL_TYPE, "Detail": json.dumps(detail), "Resources": []}
    try:
        with request_scope(ACCOUNT_ID, region):
            eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    except Exception:  # the thread must live on: on AWS, too, delivery is best effort
        _LOGGER.exception("event %s was lost", detail["eventType"])
