"""Creates a call's Chime meeting and attendees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from contract.calls.models import Attendee
from handlers.core.calls.ports import Meeting, Meetings
from handlers.core.calls.state import CallState


class MeetingCredentials(msgspec.Struct, frozen=True):
    """The meeting of a call, and credentials for it by user id."""

    meeting: Meeting
    attendees: Mapping[str, Attendee]


class MeetingAccess(msgspec.Struct, frozen=True):
    """Requests meetings and attendees from Chime."""

    meetings: Meetings

    def credentials(self, call: CallState, user_ids: Sequence[str]) -> MeetingCredentials:
        """Return the call's meeting with credentials for some users; a repeated request returns the same ones.

        Raises:
            MeetingGoneError: Chime has ended the meeting.
            MeetingsFailedError: Chime refuses or does not answer.
        """
        if call.meeting_id is None:
            meeting = self.meetings.create(call.session_id)
        else:
            meeting = Meeting(call.meeting_id, call.meeting or "")
        return MeetingCredentials(meeting, self.meetings.attendees(meeting.meeting_id, user_ids))
