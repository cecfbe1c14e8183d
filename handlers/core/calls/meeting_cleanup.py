"""Deletes the meetings of calls that are over.

A call that ends with a meeting, or after a meeting was announced, stays in the sweep's index until its meeting is
deleted. The request that ends the call deletes the meeting; the sweep retries where that failed or the process was
killed, less and less often, and gives up when Chime has ended the meeting itself.
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
    """Deletes meetings and attendees that a call does not need any more."""

    calls: CallStore
    meetings: Meetings
    clock: Clock

    def clean(self, call: CallState) -> bool:
        """Delete the meeting of a call that is over, and remove the call from the sweep's index as soon as possible.

        A slow accept may still create the meeting that it announced. Until that is impossible the call stays in the
        index; then the meeting is requested once more, which returns a meeting that was created late, and deleted.

        Returns:
            False where it must be repeated. Never raises because of a service that fails.
        """
        if call.is_live or call.due_at is None:
            return True
        try:
            return self._clean(call, call.due_at)
        except Exception:
            _log.exception("could not delete the meeting of call %s", call.session_id)
            return self._retry_later(call, call.due_at)

    def remove_departed(self, before: CallState | None, after: CallState) -> None:
        """Remove participants who left a live call from its meeting; where that fails, their own devices leave it."""
        if before is None or not after.is_live or after.meeting_id is None:
            return
        for user_id in before.with_status("JOINED"):
            attendee_id = before.participants[user_id].attendee_id
            if after.participants[user_id].status == "JOINED" or attendee_id is None:
                continue
            try:
                self.meetings.delete_attendee(after.meeting_id, attendee_id)
            except Exception:
                _log.exception("could not remove an attendee of call %s", after.session_id)

    def delete_unused(self, meeting_id: str) -> None:
        """Delete a meeting whose transition was not stored; where that fails, the sweep deletes it."""
        try:
            self.meetings.delete(meeting_id)
        except Exception:
            _log.exception("could not delete the meeting %s; the sweep will retry", meeting_id)

    def _clean(self, call: CallState, due_at: int) -> bool:
        now = self.clock.now()
        settled_at = (call.meeting_announced_at or 0) + limits.MEETING_SETTLE_SECONDS * 1000
        if call.meeting_id is not None:
            self.meetings.delete(call.meeting_id)
        answered_long_ago = call.meeting_id is not None and (call.ended_at or 0) >= settled_at
        if call.meeting_announced_at is None or answered_long_ago:
            return self._reschedule(call, due_at, None)
        if now < settled_at:
            return self._reschedule(call, due_at, settled_at)
        self.meetings.delete(self.meetings.create(call.session_id).meeting_id)
        return self._reschedule(call, due_at, None)

    def _retry_later(self, call: CallState, due_at: int) -> bool:
        """Let the sweep retry after pauses that double, until Chime has ended the meeting itself; True if it has.

        Chime ends a meeting five minutes after its last attendee left, and after 24 hours in any case.
        """
        now = self.clock.now()
        since = max(0, now - (call.ended_at or 0))
        given_up = since >= limits.CALL_HOURS_MAX * 3_600_000
        try:
            self._reschedule(call, due_at, None if given_up else now + max(limits.RING_GRACE_SECONDS * 1000, since))
        except Exception:
            _log.exception("could not postpone the clean-up of call %s; the sweep will retry", call.session_id)
            return False
        if given_up:
            _log.warning("clean-up of call %s given up: Chime has ended every meeting of that age", call.session_id)
        return given_up

    def _reschedule(self, call: CallState, due_at: int, next_due_at: int | None) -> bool:
        if due_at != next_due_at:
            self.calls.reschedule(call.session_id, due_at, next_due_at)
        return True
