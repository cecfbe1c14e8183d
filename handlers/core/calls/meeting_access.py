"""Seats in a call's meeting: the meeting, credentials for some users, and what Chime's failures mean for the call."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from contract.calls.models import Attendee
from handlers.core.calls import state_machine
from handlers.core.calls.commands import CallCommand, Transition
from handlers.core.calls.events import FAILED
from handlers.core.calls.executor import TransitionExecutor
from handlers.core.calls.ports import Meeting, MeetingGoneError, Meetings, MeetingsFailedError
from handlers.core.calls.state import CallState
from handlers.core.calls.views import view
from handlers.core.shared.errors import CallConflictError, ChatError, UnavailableError
from handlers.core.shared.timing import stage

_log = logging.getLogger(__name__)


class MeetingSeat(msgspec.Struct, frozen=True):
    """The meeting of a call, and credentials that were made or found in it, by user id."""

    meeting: Meeting
    attendees: Mapping[str, Attendee]


class MeetingAccess(msgspec.Struct, frozen=True):
    """Asks Chime for meetings and attendees."""

    meetings: Meetings
    transitions: TransitionExecutor

    def of(self, call: CallState, act: CallCommand, user_ids: Sequence[str]) -> MeetingSeat:
        """Return the call's meeting with credentials for some users; asked twice, Chime gives the same ones.

        Args:
            act: who wants it, and when.

        Raises:
            CallConflictError: Chime has ended the meeting, and so the call.
            UnavailableError: Chime fails; whoever waits for it has been told, and the call stays as it is.
        """
        try:
            with stage("chime"):
                return self._ask(call, user_ids)
        except MeetingGoneError:
            if call.meeting_id is None:
                raise self._failed(call, act) from None
            raise self._gone(call, act) from None
        except MeetingsFailedError as error:
            _log.warning("no meeting for call %s: %s", call.session_id, error)
            raise self._failed(call, act) from error

    def _ask(self, call: CallState, user_ids: Sequence[str]) -> MeetingSeat:
        if call.meeting_id is None:
            meeting = self.meetings.create(call.session_id)
        else:
            meeting = Meeting(call.meeting_id, call.meeting or "")
        return MeetingSeat(meeting, self.meetings.attendees(meeting.meeting_id, user_ids))

    def _gone(self, call: CallState, act: CallCommand) -> CallConflictError:
        """End a call whose meeting Chime has ended, and return the refusal that shows it."""
        ended = CallCommand(action="meeting_ended", actor=None, now=act.now, meeting_id=call.meeting_id)
        try:
            call = self.transitions.step(call.session_id, ended).call
        except CallConflictError:
            _log.info("call %s moved on before its end could be written", call.session_id)
        shown = view(call, act.actor) if act.actor and call.takes_part(act.actor) else None
        return CallConflictError("the meeting of this call is over", shown)

    def _failed(self, call: CallState, act: CallCommand) -> UnavailableError:
        """Tell those who wait that it failed, unless the call has moved on, and return the refusal."""
        move = state_machine.decide(call, replace(act, action="fail"))
        if isinstance(move, Transition):
            try:
                self.transitions.commit(move, act.now)
            except ChatError:
                _log.exception("nobody could be told that call %s failed", call.session_id)
        return UnavailableError(FAILED)
