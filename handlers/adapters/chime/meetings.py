"""Creates and deletes meetings and attendees with Amazon Chime SDK Meetings.

A repeated request returns the same meeting and the same attendee, by ClientRequestToken and ExternalUserId, so that it
is safe after a lost response (Amazon Chime SDK: CreateMeeting, CreateAttendee). The service model `chime-sdk-meetings`
is part of botocore since 1.23, and so of every Lambda runtime for Python that AWS still offers.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from contract.calls.models import Attendee
from handlers.adapters.dynamodb.client import error_code
from handlers.core.calls.ports import Meeting, MeetingGoneError, Meetings, MeetingsBusyError, MeetingsFailedError

_log = logging.getLogger(__name__)

SERVICE: Final = "chime-sdk-meetings"
_GONE: Final = "NotFoundException"
_BUSY: Final = frozenset({"ConflictException", "ThrottledClientException", "ThrottlingException"})
"""Codes that the next attempt need not meet: CreateMeeting, "Multiple instances of the same request have been made
simultaneously" (409); and throttling (429), for which the developer guide and the service model have a name each."""


class ChimeMeetings(Meetings):
    """Chime's meetings.

    Args:
        client: returns the `chime-sdk-meetings` client; called on first use, since most requests need no meeting. Its
            timeouts and retries bound every call here.
        media_region: region whose media servers host the meetings.
    """

    def __init__(self, client: Callable[[], Any], media_region: str) -> None:
        self._client = client
        self._media_region = media_region

    def create(self, session_id: str) -> Meeting:
        response = self._call(
            "create_meeting",
            ClientRequestToken=session_id,
            ExternalMeetingId=session_id,
            MediaRegion=self._media_region,
        )
        meeting = response["Meeting"]
        return Meeting(meeting["MeetingId"], json.dumps(meeting, separators=(",", ":")))

    def attendees(self, meeting_id: str, user_ids: Iterable[str]) -> Mapping[str, Attendee]:
        # every user must be in the result: a batch reports a refused attendee in `Errors`
        wanted = tuple(dict.fromkeys(user_ids))
        if len(wanted) == 1:
            response = self._call("create_attendee", MeetingId=meeting_id, ExternalUserId=wanted[0])
            created = [response["Attendee"]]
        else:
            users = [{"ExternalUserId": user_id} for user_id in wanted]
            response = self._call("batch_create_attendee", MeetingId=meeting_id, Attendees=users)
            created = response.get("Attendees", [])
        found = {each["ExternalUserId"]: _attendee(each) for each in created}
        if missing := [user_id for user_id in wanted if user_id not in found]:
            raise MeetingsFailedError(f"no attendee for {', '.join(missing)}: {response.get('Errors')}")
        return found

    def delete_attendee(self, meeting_id: str, attendee_id: str) -> None:
        try:
            self._call("delete_attendee", MeetingId=meeting_id, AttendeeId=attendee_id)
        except MeetingGoneError:
            _log.info("attendee already deleted: %s", attendee_id)

    def delete(self, meeting_id: str) -> None:
        try:
            self._call("delete_meeting", MeetingId=meeting_id)
        except MeetingGoneError:
            _log.info("meeting already deleted: %s", meeting_id)

    def exists(self, meeting_id: str) -> bool:
        try:
            self._call("get_meeting", MeetingId=meeting_id)
        except MeetingGoneError:
            return False
        return True

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call Chime. Every failure, also a missing permission, is the same error, so that CALL_ERROR is published."""
        try:
            response: dict[str, Any] = getattr(self._client(), operation)(**parameters)
        except ClientError as error:
            if error_code(error) == _GONE:
                raise MeetingGoneError(parameters.get("MeetingId", "")) from error
            if error_code(error) in _BUSY:
                raise MeetingsBusyError(f"{operation}: {error}") from error
            raise MeetingsFailedError(f"{operation}: {error}") from error
        except BotoCoreError as error:
            raise MeetingsFailedError(f"{operation}: {error}") from error
        return response


def _attendee(attendee: Mapping[str, Any]) -> Attendee:
    return Attendee(
        AttendeeId=attendee["AttendeeId"],
        ExternalUserId=attendee["ExternalUserId"],
        JoinToken=attendee["JoinToken"],
    )
