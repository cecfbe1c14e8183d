"""What Chime says happened in a meeting, brought into the call's record.

Chime's events come at least once and in any order, so each is held against the record: only the call's present meeting
and a participant's present attendee count.
"""

from __future__ import annotations

import logging

import msgspec

from handlers.core.calls.commands import CallCommand
from handlers.core.calls.executor import TransitionExecutor
from handlers.core.calls.ports import CallStore
from handlers.core.shared.errors import CallConflictError, ForbiddenError
from handlers.core.shared.ports import Clock

_log = logging.getLogger(__name__)


class MeetingReconciler(msgspec.Struct, frozen=True):
    """Follows Chime's events. Raises `UnavailableError` where the event must come again."""

    calls: CallStore
    transitions: TransitionExecutor
    clock: Clock

    def meeting_ended(self, session_id: str, meeting_id: str) -> None:
        """Chime has ended a meeting: so has the call.

        Args:
            session_id: the meeting's ExternalMeetingId.
        """
        self._follow(
            session_id, CallCommand(action="meeting_ended", actor=None, now=self.clock.now(), meeting_id=meeting_id)
        )

    def attendee_left(self, session_id: str, user_id: str, attendee_id: str, seen_at: int) -> None:
        """An attendee has left the meeting: so has the participant the call.

        Args:
            session_id: the meeting's ExternalMeetingId.
            user_id: the attendee's ExternalUserId.
            seen_at: when, in milliseconds since the epoch.
        """
        act = CallCommand(action="leave", actor=user_id, now=self.clock.now(), attendee_id=attendee_id, seen_at=seen_at)
        self._follow(session_id, act)

    def _follow(self, session_id: str, act: CallCommand) -> None:
        call = self.calls.read(session_id)
        if call is None or call.status != "ACTIVE":
            return
        try:
            self.transitions.step(session_id, act)
        except (CallConflictError, ForbiddenError) as refusal:
            _log.info("call %s: Chime's event changes nothing: %s", session_id, refusal)
