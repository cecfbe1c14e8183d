"""Client of the Chime stand-in's control calls: what browsers do in meetings, and the passing of time."""

from __future__ import annotations

from typing import Any

from local.control.control_calls import control_call
from local.processes.ports import Ports

Json = dict[str, Any]


class MeetingControl:
    """Plays the browsers of attendees. AWS has no API for that: there, media connections do it."""

    def __init__(self, ports: Ports, token: str) -> None:
        self._base = f"{ports.emulator_url}/_local/chime"
        self._token = token

    def active(self) -> list[Json]:
        """The active meetings: `meetingId`, `externalMeetingId`, `attendees` with `connected`.

        Raises:
            StepError: the emulator does not answer.
        """
        listed: list[Json] = control_call("GET", f"{self._base}/meetings", self._token)["meetings"]
        return listed

    def join(self, meeting_id: str, attendee_id: str, join_token: str | None = None) -> None:
        """Connect an attendee's audio; a connection that it has already is dropped.

        Raises:
            StepError: there is no such attendee, or the token is another one's.
        """
        self._play(meeting_id, attendee_id, "join", {} if join_token is None else {"joinToken": join_token})

    def leave(self, meeting_id: str, attendee_id: str) -> None:
        """Hang up (chime:AttendeeLeft).

        Raises:
            StepError: there is no such attendee.
        """
        self._play(meeting_id, attendee_id, "leave", {})

    def drop(self, meeting_id: str, attendee_id: str) -> None:
        """Lose the connection (chime:AttendeeDropped).

        Raises:
            StepError: there is no such attendee.
        """
        self._play(meeting_id, attendee_id, "drop", {})

    def advance(self, seconds: float) -> list[str]:
        """Let time pass for meetings at once.

        Returns:
            Ids of the meetings that ended by it.

        Raises:
            StepError: the emulator does not answer.
        """
        answer = control_call("POST", f"{self._base}/clock", self._token, {"advanceSeconds": seconds})
        return list(answer["ended"])

    def _play(self, meeting_id: str, attendee_id: str, action: str, body: Json) -> None:
        url = f"{self._base}/meetings/{meeting_id}/attendees/{attendee_id}/{action}"
        control_call("POST", url, self._token, body)
