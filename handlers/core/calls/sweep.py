"""The sweep of calls: ends what the ring timers, requests and Chime's events left open."""

from __future__ import annotations

import logging

import msgspec

from contract import limits
from handlers.core.calls.commands import CallCommand
from handlers.core.calls.executor import TransitionExecutor
from handlers.core.calls.invitations import CallGroups
from handlers.core.calls.meeting_cleanup import MeetingCleanup
from handlers.core.calls.ports import CallStore, Meetings
from handlers.core.calls.state import CallState
from handlers.core.conversations.ports import UserDirectory
from handlers.core.shared.errors import CallConflictError
from handlers.core.shared.ports import Clock

_log = logging.getLogger(__name__)


class CallSweepReport(msgspec.Struct):
    """The result of one sweep.

    Args:
        examined: number of calls.
        ended: session ids of the calls that it ended.
        unfinished: session ids of the calls that the next sweep has to examine again.
    """

    examined: int = 0
    ended: list[str] = msgspec.field(default_factory=list)
    unfinished: list[str] = msgspec.field(default_factory=list)


class CallSweep(msgspec.Struct, frozen=True, kw_only=True):
    """Examines every call that is due, once a minute."""

    calls: CallStore
    executor: TransitionExecutor
    meetings: Meetings
    meeting_cleanup: MeetingCleanup
    conversations: CallGroups
    directory: UserDirectory
    clock: Clock

    def run(self) -> CallSweepReport:
        """End overdue ringing, delete remaining meetings, and check answered calls (meeting, group, profiles)."""
        report = CallSweepReport()
        for session_id, due_at in self.calls.due(self.clock.now()):
            try:
                self._examine(session_id, due_at, report)
            except Exception:
                _log.exception("sweep failed for call %s; will retry", session_id)
                report.unfinished.append(session_id)
        return report

    def _examine(self, session_id: str, due_at: int, report: CallSweepReport) -> None:
        call = self.calls.read(session_id)
        if call is None or call.due_at != due_at:
            return
        report.examined += 1
        if not call.is_live:
            if not self.meeting_cleanup.clean(call):
                report.unfinished.append(session_id)
            return
        if call.with_status("RINGING"):
            call = self._execute(call, CallCommand(action="timeout", actor=None, now=self.clock.now()))
        if call.status == "ACTIVE":
            call = self._check(call)
        now = self.clock.now()
        if not call.is_live:
            report.ended.append(session_id)
        elif call.due_at is not None and call.due_at <= now:
            self.calls.reschedule(session_id, call.due_at, now + limits.CALL_CHECK_SECONDS * 1000)

    def _check(self, call: CallState) -> CallState:
        """Compare an answered call with Chime's meeting, the longest duration, the group and the profiles."""
        now = self.clock.now()
        meeting_id = call.meeting_id or ""
        if not self.meetings.exists(meeting_id):
            return self._execute(call, CallCommand(action="meeting_ended", actor=None, now=now, meeting_id=meeting_id))
        call = self._execute(call, CallCommand(action="expire", actor=None, now=now))
        if call.status != "ACTIVE":
            return call
        for user_id in self._no_longer_allowed(call):
            attendee_id = call.participants[user_id].attendee_id
            if attendee_id is not None:
                self.meetings.delete_attendee(meeting_id, attendee_id)
            call = self._execute(call, CallCommand(action="leave", actor=user_id, now=now, attendee_id=attendee_id))
            if call.status != "ACTIVE":
                break
        return call

    def _no_longer_allowed(self, call: CallState) -> list[str]:
        """Return the participants who are in the call, but not in the group, or without an active account any more."""
        joined = call.with_status("JOINED")
        known = self.directory.active(joined)
        if call.conversation_id is None:
            return [user_id for user_id in joined if user_id not in known]
        stored = self.conversations.get(call.conversation_id)
        members = set(stored.members) if stored else set()
        return [user_id for user_id in joined if user_id not in known or user_id not in members]

    def _execute(self, call: CallState, command: CallCommand) -> CallState:
        """Execute a command and return the call; one that is not allowed (any more) changes nothing."""
        try:
            return self.executor.execute(call.session_id, command)
        except CallConflictError:
            return self.calls.read(call.session_id) or call
