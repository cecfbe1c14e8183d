"""Amazon Chime SDK Meetings (`handlers.core.calls.ports.Meetings`).

Asking again finds the same meeting and the same attendee, by ClientRequestToken and ExternalUserId, so that a lost
answer costs nothing (Amazon Chime SDK: CreateMeeting, CreateAttendee). The service model `chime-sdk-meetings` is part
of botocore since 1.23, and so of every Lambda runtime for Python that AWS still offers.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from contract.calls.models import Attendee
from handlers.adapters.dynamodb.client import error_code
from handlers.core.calls.ports import Meeting, MeetingGoneError, MeetingsFailedError

_log = logging.getLogger(__name__)

SERVICE: Final = "chime-sdk-meetings"
_GONE: Final = "NotFoundException"


class ChimeMeetings:
    """Makes and deletes meetings and attendees.

    Args:
        client: returns the `chime-sdk-meetings` client; called on first use, since most requests need no meeting. Its
            timeouts and retries bound every call here.
        media_region: region whose media servers carry the meetings.
    """

    def __init__(self, client: Callable[[], Any], media_region: str) -> None:
        self._client = client
        self._media_region = media_region

    def create(self, session_id: str) -> Meeting:
        """Make the session's meeting, or find it.

        Raises:
            MeetingsFailedError: Chime refuses or does not answer.
        """
        answer = self._ask(
            "create_meeting",
            ClientRequestToken=session_id,
            ExternalMeetingId=session_id,
            MediaRegion=self._media_region,
        )
        meeting = answer["Meeting"]
        return Meeting(meeting["MeetingId"], json.dumps(meeting, separators=(",", ":")))

    def attendees(self, meeting_id: str, user_ids: Iterable[str]) -> Mapping[str, Attendee]:
        """Make the users' attendees, or find them; every user is in the answer.

        Raises:
            MeetingGoneError: there is no such meeting.
            MeetingsFailedError: Chime refuses, even only one of them, or does not answer.
        """
        wanted = tuple(dict.fromkeys(user_ids))
        if len(wanted) == 1:
            answer = self._ask("create_attendee", MeetingId=meeting_id, ExternalUserId=wanted[0])
            made = [answer["Attendee"]]
        else:
            users = [{"ExternalUserId": user_id} for user_id in wanted]
            answer = self._ask("batch_create_attendee", MeetingId=meeting_id, Attendees=users)
            made = answer.get("Attendees", [])
        found = {each["ExternalUserId"]: _attendee(each) for each in made}
        if missing := [user_id for user_id in wanted if user_id not in found]:
            raise MeetingsFailedError(f"no attendee for {', '.join(missing)}: {answer.get('Errors')}")
        return found

    def delete_attendee(self, meeting_id: str, attendee_id: str) -> None:
        """Take an attendee out of the meeting; one that is gone is fine.

        Raises:
            MeetingsFailedError: Chime refuses or does not answer.
        """
        try:
            self._ask("delete_attendee", MeetingId=meeting_id, AttendeeId=attendee_id)
        except MeetingGoneError:
            _log.info("the attendee %s was gone already", attendee_id)

    def delete(self, meeting_id: str) -> None:
        """End a meeting for everybody; one that is gone is fine.

        Raises:
            MeetingsFailedError: Chime refuses or does not answer.
        """
        try:
            self._ask("delete_meeting", MeetingId=meeting_id)
        except MeetingGoneError:
            _log.info("the meeting %s was gone already", meeting_id)

    def exists(self, meeting_id: str) -> bool:
        """Return whether Chime still has the meeting.

        Raises:
            MeetingsFailedError: Chime refuses or does not answer.
        """
        try:
            self._ask("get_meeting", MeetingId=meeting_id)
        except MeetingGoneError:
            return False
        return True

    def _ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Make one call; whatever fails, a right that is missing too, is one error, so that both parties hear of it."""
        try:
            answer: dict[str, Any] = getattr(self._client(), operation)(**parameters)
        except ClientError as error:
            if error_code(error) == _GONE:
                raise MeetingGoneError(parameters.get("MeetingId", "")) from error
            raise MeetingsFailedError(f"{operation}: {error}") from error
        except BotoCoreError as error:
            raise MeetingsFailedError(f"{operation}: {error}") from error
        return answer


def _attendee(answer: Mapping[str, Any]) -> Attendee:
    return Attendee(
        AttendeeId=answer["AttendeeId"], ExternalUserId=answer["ExternalUserId"], JoinToken=answer["JoinToken"]
    )
