"""Applies Chime's events to calls: the end of a meeting, and an attendee who left.

Chime's events arrive at least once and in any order, so each is compared with the stored call: only the call's present
meeting and a participant's present attendee count.
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
    """Applies Chime's events. Raises `UnavailableError` where the event must be delivered again."""

    calls: CallStore
    executor: TransitionExecutor
    clock: Clock

    def meeting_ended(self, session_id: str, meeting_id: str) -> None:
        """End the call of a meeting that Chime has ended.

        Args:
            session_id: the meeting's ExternalMeetingId.
        """
        command = CallCommand(action="meeting_ended", actor=None, now=self.clock.now(), meeting_id=meeting_id)
        self._apply(session_id, command)

    def attendee_left(self, session_id: str, user_id: str, attendee_id: str, seen_at: int) -> None:
        """Let the participant of an attendee who left the meeting leave the call.

        Args:
            session_id: the meeting's ExternalMeetingId.
            user_id: the attendee's ExternalUserId.
            seen_at: when the attendee left, in milliseconds since the epoch.
        """
        command = CallCommand(
            action="leave", actor=user_id, now=self.clock.now(), attendee_id=attendee_id, seen_at=seen_at
        )
        self._apply(session_id, command)

    def _apply(self, session_id: str, command: CallCommand) -> None:
        call = self.calls.read(session_id)
        if call is None or call.status != "ACTIVE":
            return
        try:
            self.executor.execute(session_id, command)
        except (CallConflictError, ForbiddenError) as error:
            _log.info("Chime event ignored for call %s: %s", session_id, error)
