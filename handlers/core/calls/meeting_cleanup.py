"""Deleting the meetings of calls that are over.

A call that ends with a meeting, or while one was being made, stays on the sweep's list until its meeting is known to be
gone: whoever ended it deletes the meeting at once, and the sweep does it again for whoever failed or died.
"""

from __future__ import annotations

import logging

import msgspec

from contract import limits
from handlers.core.calls.ports import CallStore, Meetings
from handlers.core.calls.state import CallState
from handlers.core.shared.ports import Clock

_log = logging.getLogger(__name__)


class MeetingCleanup(msgspec.Struct, frozen=True):
    """Deletes what a call left at Chime."""

    calls: CallStore
    meetings: Meetings
    clock: Clock

    def clean(self, call: CallState) -> bool:
        """Delete the meeting of a call that is over and take the call off the sweep's list, as far as that can be.

        A meeting that was announced may still be made by a slow acceptor. Until that is impossible the call stays on
        the list; then the meeting is asked for once more, which finds whatever was made late, and deleted.

        Returns:
            False where it must be tried again. Never raises because of a service that fails.
        """
        if call.is_live or call.due_at is None:
            return True
        try:
            return self._clean(call, call.due_at)
        except Exception:
            _log.exception("the meeting of call %s could not be deleted; the sweep tries again", call.session_id)
            return False

    def put_out(self, before: CallState | None, after: CallState) -> None:
        """Take those who left a call that goes on out of its meeting; where that fails, their own devices still do."""
        if before is None or not after.is_live or after.meeting_id is None:
            return
        for user_id in before.having("JOINED"):
            attendee_id = before.participants[user_id].attendee_id
            if after.participants[user_id].status == "JOINED" or attendee_id is None:
                continue
            try:
                self.meetings.delete_attendee(after.meeting_id, attendee_id)
            except Exception:
                _log.exception("an attendee of call %s could not be taken out", after.session_id)

    def drop(self, meeting_id: str) -> None:
        """Delete a meeting that was made for a transition that lost; the sweep finds it where that fails."""
        try:
            self.meetings.delete(meeting_id)
        except Exception:
            _log.exception("the meeting %s could not be deleted; the sweep tries again", meeting_id)

    def _clean(self, call: CallState, due_at: int) -> bool:
        now = self.clock.now()
        settled_at = (call.asked_at or 0) + limits.MEETING_SETTLE_SECONDS * 1000
        if call.meeting_id is not None:
            self.meetings.delete(call.meeting_id)
        answered_long_ago = call.meeting_id is not None and (call.ended_at or 0) >= settled_at
        if call.asked_at is None or answered_long_ago:
            return self._settle(call, due_at, None)
        if now < settled_at:
            return self._settle(call, due_at, settled_at)
        self.meetings.delete(self.meetings.create(call.session_id).meeting_id)
        return self._settle(call, due_at, None)

    def _settle(self, call: CallState, due_at: int, next_due_at: int | None) -> bool:
        if due_at != next_due_at:
            self.calls.reschedule(call.session_id, due_at, next_due_at)
        return True
