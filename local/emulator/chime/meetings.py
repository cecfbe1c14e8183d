"""The meetings of the account, and what can be done to them. Used from the event loop only."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from local.emulator.chime import rules
from local.emulator.chime.errors import ChimeError, limit_exceeded, not_found
from local.emulator.chime.meeting import Attendee, Meeting

ACTIVE_MEETINGS_MAX = 250
"""The account's soft quota (Chime SDK service quotas)."""

Json = dict[str, Any]
Notify = Callable[[str, Meeting, Attendee | None], None]
"""Called with an event's type (without `chime:`), the meeting and, for events of one, the attendee."""


class ServiceClock:
    """The time of the service; tests move it forward instead of waiting for hours."""

    def __init__(self, real: Callable[[], float] = time.time) -> None:
        self._real = real
        self.offset = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._real() + self.offset

    def advance(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self.offset += seconds


class Meetings:
    """Keeps meetings by their id and by their client request token.

    Args:
        clock: the time.
        notify: receives every event of a meeting or attendee.
    """

    def __init__(self, clock: ServiceClock, notify: Notify) -> None:
        self._clock = clock
        self._notify = notify
        self._meetings: dict[str, Meeting] = {}

    def create(self, request: Json, tags: dict[str, str], region: str) -> Meeting:
        """Make a meeting, or answer with the active one that the same token made before.

        Raises:
            ChimeError: the input is refused, the token made a meeting with other properties, or the quota is used up.
        """
        rules.check_meeting(request)
        self.end_overdue()
        earlier = next((each for each in self._meetings.values() if each.token == request["ClientRequestToken"]), None)
        if earlier is not None:
            if earlier.request != request:
                message = "the clientRequestToken was used for a meeting with other properties"
                raise ChimeError("ConflictException", message)
            return earlier
        if len(self._meetings) >= ACTIVE_MEETINGS_MAX:
            raise limit_exceeded(f"the account has {ACTIVE_MEETINGS_MAX} active meetings")
        meeting = Meeting.new(request, region, self._clock.now())
        meeting.tags.update(tags)
        self._meetings[meeting.meeting_id] = meeting
        self._notify("MeetingStarted", meeting, None)
        return meeting

    def get(self, meeting_id: str) -> Meeting:
        """An active meeting.

        Raises:
            ChimeError: NotFoundException.
        """
        self.end_overdue()
        found = self._meetings.get(meeting_id.lower())
        if found is None:
            raise not_found(f"Meeting {meeting_id}")
        return found

    def by_arn(self, arn: str) -> Meeting:
        """An active meeting by its ARN.

        Raises:
            ChimeError: ResourceNotFoundException.
        """
        self.end_overdue()
        found = next((each for each in self._meetings.values() if each.arn == arn), None)
        if found is None:
            raise ChimeError("ResourceNotFoundException", f"{arn} not found")
        return found

    def active(self) -> list[Meeting]:
        """All active meetings, oldest first."""
        self.end_overdue()
        return list(self._meetings.values())

    def delete(self, meeting_id: str) -> None:
        """End a meeting for all attendees.

        Raises:
            ChimeError: NotFoundException.
        """
        self._end(self.get(meeting_id))

    def vanish(self, meeting_id: str) -> None:
        """Delete a meeting, if there is one, without an event, as when an event of Chime is lost."""
        self._meetings.pop(meeting_id.lower(), None)

    def end_overdue(self) -> list[Meeting]:
        """End the meetings whose time is over.

        Returns:
            The ended ones.
        """
        now = self._clock.now()
        overdue = [each for each in self._meetings.values() if each.ends_at() <= now]
        for meeting in overdue:
            self._end(meeting)
        return overdue

    def add(self, meeting: Meeting, external_user_id: str, capabilities: Json | None) -> Attendee:
        """Make an attendee, or answer with the one that the user has already.

        Raises:
            ChimeError: the input is refused, or the meeting is full.
        """
        rules.check_external_id("externalUserId", external_user_id)
        if capabilities is not None:
            rules.check_capabilities(capabilities, meeting.features)
        known = meeting.attendee_of(external_user_id)
        if known is not None:
            return known
        if len(meeting.attendees) >= meeting.attendees_max:
            raise limit_exceeded(f"the meeting has {meeting.attendees_max} attendees")
        attendee = Attendee.new(external_user_id, capabilities or meeting.default_capabilities())
        meeting.attendees[attendee.attendee_id] = attendee
        self._notify("AttendeeAdded", meeting, attendee)
        return attendee

    def attendee(self, meeting_id: str, attendee_id: str) -> tuple[Meeting, Attendee]:
        """A meeting and one of its attendees.

        Raises:
            ChimeError: NotFoundException.
        """
        meeting = self.get(meeting_id)
        found = meeting.attendees.get(attendee_id.lower())
        if found is None:
            raise not_found(f"Attendee {attendee_id}")
        return meeting, found

    def remove(self, meeting_id: str, attendee_id: str) -> None:
        """Delete an attendee; a connection with its token is closed.

        Raises:
            ChimeError: NotFoundException.
        """
        meeting, attendee = self.attendee(meeting_id, attendee_id)
        self._disconnect(meeting, attendee, "AttendeeLeft")
        del meeting.attendees[attendee.attendee_id]
        self._notify("AttendeeDeleted", meeting, attendee)

    def join(self, meeting_id: str, attendee_id: str, join_token: str | None) -> Attendee:
        """Connect an attendee's audio, as a browser does. A second one with the same token drops the first.

        Args:
            meeting_id: the meeting.
            attendee_id: the attendee.
            join_token: must be the attendee's when it is given.

        Raises:
            ChimeError: NotFoundException, or UnauthorizedException for a wrong token.
        """
        meeting, attendee = self.attendee(meeting_id, attendee_id)
        if join_token is not None and join_token != attendee.join_token:
            raise ChimeError("UnauthorizedException", "the join token is not the attendee's")
        self._disconnect(meeting, attendee, "AttendeeDropped")
        self._notify("AttendeeAuthorized", meeting, attendee)
        attendee.connected = True
        meeting.count_connections(self._clock.now())
        self._notify("AttendeeJoined", meeting, attendee)
        return attendee

    def leave(self, meeting_id: str, attendee_id: str, *, dropped: bool) -> Attendee:
        """Disconnect an attendee's audio.

        Args:
            meeting_id: the meeting.
            attendee_id: the attendee.
            dropped: the connection was lost; the attendee did not hang up.

        Raises:
            ChimeError: NotFoundException.
        """
        meeting, attendee = self.attendee(meeting_id, attendee_id)
        self._disconnect(meeting, attendee, "AttendeeDropped" if dropped else "AttendeeLeft")
        return attendee

    def state(self) -> Json:
        """What is kept on disk."""
        return {"clockOffset": self._clock.offset, "meetings": [each.state() for each in self._meetings.values()]}

    def restore(self, state: Json) -> None:
        """The inverse of `state`."""
        self._clock.offset = state["clockOffset"]
        restored = [Meeting.from_state(each) for each in state["meetings"]]
        self._meetings = {each.meeting_id: each for each in restored}

    def _disconnect(self, meeting: Meeting, attendee: Attendee, event: str) -> None:
        if attendee.connected:
            attendee.connected = False
            meeting.count_connections(self._clock.now())
            self._notify(event, meeting, attendee)

    def _end(self, meeting: Meeting) -> None:
        del self._meetings[meeting.meeting_id]
        self._notify("MeetingEnded", meeting, None)
