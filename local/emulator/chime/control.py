"""`/_local/chime/...`: what browsers do in meetings, and the service's clock. AWS has no API for either.

* `GET /_local/chime/meetings`: the active meetings with their attendees and who is connected.
* `POST /_local/chime/meetings/{meeting}/attendees/{attendee}/join`, body `{"joinToken": ...}` or empty.
* `POST …/leave` and `POST …/drop`: hang up, and lose the connection.
* `POST /_local/chime/clock`, body `{"advanceSeconds": 301}`: let time pass, so that meetings end by themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from local.emulator.chime.errors import ChimeError
from local.emulator.chime.meetings import Json, Meetings, ServiceClock
from local.emulator.chime.service_model import error_status

PREFIX = "/_local/chime/"
_ATTENDEE = re.compile(rf"{PREFIX}meetings/([^/]+)/attendees/([^/]+)/(join|leave|drop)")


class ChimeControl:
    """Answers the control calls.

    Args:
        meetings: what they work on.
        clock: the service's clock.
        save: puts the meetings on disk; called before a call that changed them is answered.
    """

    def __init__(self, meetings: Meetings, clock: ServiceClock, save: Callable[[], None]) -> None:
        self._meetings = meetings
        self._clock = clock
        self._save = save

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Answer one call.

        Returns:
            The HTTP status and a JSON value.
        """
        attendee = _ATTENDEE.fullmatch(path)
        try:
            document = json.loads(body) if body else {}
            if not isinstance(document, dict):
                raise ValueError("the body must be a JSON object")
            if method == "GET" and path == f"{PREFIX}meetings":
                return 200, {"meetings": [_shown(each) for each in self._meetings.active()]}
            if method == "POST" and path == f"{PREFIX}clock":
                return 200, self._advance(document)
            if method == "POST" and attendee is not None:
                return 200, self._play(attendee[1], attendee[2], attendee[3], document)
        except ChimeError as error:
            return error_status(error), _errors(str(error))
        except ValueError as error:
            return 400, _errors(str(error))
        return 404, _errors(f"{method} {path} is not known here")

    def _advance(self, document: Json) -> Json:
        seconds = document.get("advanceSeconds")
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
            raise ValueError("advanceSeconds must be a number of at least 0")
        self._clock.advance(seconds)
        ended = self._meetings.end_overdue()
        self._save()
        return {"now": self._clock.now(), "ended": [each.meeting_id for each in ended]}

    def _play(self, meeting_id: str, attendee_id: str, action: str, document: Json) -> Json:
        if action == "join":
            attendee = self._meetings.join(meeting_id, attendee_id, document.get("joinToken"))
        else:
            attendee = self._meetings.leave(meeting_id, attendee_id, dropped=action == "drop")
        self._save()
        return {"attendeeId": attendee.attendee_id, "connected": attendee.connected}


def _shown(meeting: Any) -> Json:
    attendees = [
        {"attendeeId": each.attendee_id, "externalUserId": each.external_user_id, "connected": each.connected}
        for each in meeting.attendees.values()
    ]
    external_id = meeting.request["ExternalMeetingId"]
    return {"meetingId": meeting.meeting_id, "externalMeetingId": external_id, "attendees": attendees}


def _errors(message: str) -> Json:
    return {"errors": [{"message": message}]}
