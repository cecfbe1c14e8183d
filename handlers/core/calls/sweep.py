"""The clock's look at calls: nothing rings on, goes on or costs on because somebody died or did not answer."""

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
    """What one sweep did: calls looked at, session ids of those that it ended, and of those left for the next one."""

    looked_at: int = 0
    ended: list[str] = msgspec.field(default_factory=list)
    left: list[str] = msgspec.field(default_factory=list)


class CallSweep(msgspec.Struct, frozen=True, kw_only=True):
    """Looks at every call that is due, once a minute."""

    calls: CallStore
    transitions: TransitionExecutor
    meetings: Meetings
    cleaner: MeetingCleanup
    conversations: CallGroups
    directory: UserDirectory
    clock: Clock

    def run(self) -> CallSweepReport:
        """End overdue ringing, delete meetings that were left, and hold calls that go on against meeting and group."""
        swept = CallSweepReport()
        for session_id, due_at in self.calls.due(self.clock.now()):
            try:
                self._look(session_id, due_at, swept)
            except Exception:
                _log.exception("call %s could not be looked at; the next sweep does", session_id)
                swept.left.append(session_id)
        return swept

    def _look(self, session_id: str, due_at: int, swept: CallSweepReport) -> None:
        call = self.calls.read(session_id)
        if call is None or call.due_at != due_at:
            return
        swept.looked_at += 1
        if not call.is_live:
            if not self.cleaner.clean(call):
                swept.left.append(session_id)
            return
        if call.having("RINGING"):
            call = self._stepped(call, CallCommand(action="timeout", actor=None, now=self.clock.now()))
        if call.status == "ACTIVE":
            call = self._checked(call)
        now = self.clock.now()
        if not call.is_live:
            swept.ended.append(session_id)
        elif call.due_at is not None and call.due_at <= now:
            self.calls.reschedule(session_id, call.due_at, now + limits.CALL_CHECK_SECONDS * 1000)

    def _checked(self, call: CallState) -> CallState:
        """Hold a call that goes on against Chime, the longest duration, the group and the profiles."""
        now = self.clock.now()
        meeting_id = call.meeting_id or ""
        if not self.meetings.exists(meeting_id):
            return self._stepped(call, CallCommand(action="meeting_ended", actor=None, now=now, meeting_id=meeting_id))
        call = self._stepped(call, CallCommand(action="expire", actor=None, now=now))
        if call.status != "ACTIVE":
            return call
        for user_id in self._gone(call):
            attendee_id = call.participants[user_id].attendee_id
            if attendee_id is not None:
                self.meetings.delete_attendee(meeting_id, attendee_id)
            call = self._stepped(call, CallCommand(action="leave", actor=user_id, now=now, attendee_id=attendee_id))
            if call.status != "ACTIVE":
                break
        return call

    def _gone(self, call: CallState) -> list[str]:
        """Return who is in the call but no longer in the group, or has no profile any more."""
        present = call.having("JOINED")
        known = self.directory.names(present)
        if call.conversation_id is None:
            return [user_id for user_id in present if user_id not in known]
        stored = self.conversations.get(call.conversation_id)
        members = set(stored.conversation.participants) if stored else set()
        return [user_id for user_id in present if user_id not in known or user_id not in members]

    def _stepped(self, call: CallState, act: CallCommand) -> CallState:
        """Carry out an act of the system and return the call; one that does not apply (any more) changes nothing."""
        try:
            return self.transitions.step(call.session_id, act).call
        except CallConflictError:
            return self.calls.read(call.session_id) or call
