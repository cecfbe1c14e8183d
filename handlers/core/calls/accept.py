"""Answering a call, or joining a group call that goes on.

In this order: read and decide; announce that a meeting will be made, so that the call's end knows of it whoever dies;
make meeting and attendees at Chime, each found again when asked for twice; write the transition; tell everybody. A
meeting that was made for a transition which then lost to the call's end is deleted.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from contract.calls.requests import AcceptCall
from contract.calls.responses import CallAccepted
from handlers.core.calls import state_machine
from handlers.core.calls.commands import CallCommand, Duplicate, Rejection
from handlers.core.calls.events import meeting_document
from handlers.core.calls.executor import CALL_TRIES, TransitionExecutor
from handlers.core.calls.invitations import CallGroups
from handlers.core.calls.meeting_access import MeetingAccess, MeetingSeat
from handlers.core.calls.meeting_cleanup import MeetingCleanup
from handlers.core.calls.ports import CallStore, CallWriteStatus
from handlers.core.calls.state import CallState
from handlers.core.calls.views import view
from handlers.core.shared.errors import CallConflictError, ForbiddenError, NotFoundError, UnavailableError
from handlers.core.shared.ports import Clock
from handlers.core.shared.retry import attempts
from handlers.core.shared.timing import stage


class CallAcceptor(msgspec.Struct, frozen=True, kw_only=True):
    """Puts users into calls."""

    calls: CallStore
    transitions: TransitionExecutor
    seats: MeetingAccess
    cleaner: MeetingCleanup
    conversations: CallGroups
    clock: Clock

    def accept(self, user_id: str, request: AcceptCall) -> CallAccepted:
        """Answer a call; the same device gets the same answer as often as it asks.

        Raises:
            NotFoundError: no such call.
            ForbiddenError: not a participant, no longer in the group, or `callerId` is not who called.
            CallConflictError: the call is over, was answered by another device, or the user is in another call.
            UnavailableError: the meeting cannot be had just now; the call stays as it is.
        """
        made: str | None = None
        seat: MeetingSeat | None = None
        taken_over: dict[str, str] = {}
        for _ in attempts(self.clock, CALL_TRIES):
            call, act = self._asked(user_id, request)
            rule = state_machine.rule_for(call, act)
            if isinstance(rule, Rejection):
                self._drop(made, call)
                self.transitions.refuse(rule, call, user_id)
            if isinstance(rule, Duplicate):
                return _answer(call, user_id, self.seats.of(call, act, [user_id]))
            ready = self._announced(call, act)
            if ready is None:
                continue
            seat = self._seated(ready, act, seat)
            made = seat.meeting.meeting_id if ready.meeting_id is None else made
            move = state_machine.apply(rule, ready, _with_seat(act, seat))
            outcome = self.transitions.commit(move, act.now, credentials=seat.attendees, taken_over=taken_over)
            if outcome.verdict is CallWriteStatus.COMMITTED:
                return _answer(move.after, user_id, seat)
            taken_over |= self._stale(user_id, outcome.locked)
        raise UnavailableError("the call changes too often just now; try again")

    def _asked(self, user_id: str, request: AcceptCall) -> tuple[CallState, CallCommand]:
        with stage("read"):
            call = self.calls.read(request.sessionId)
        if call is None or user_id in call.hidden_from:
            raise NotFoundError("no such call", field="sessionId")
        require_caller(call, user_id, request.callerId)
        act = CallCommand(
            action="accept",
            actor=user_id,
            now=self.clock.now(),
            device_id=request.deviceId,
            is_member=self._is_member(call, user_id),
        )
        return call, act

    def _is_member(self, call: CallState, user_id: str) -> bool:
        if call.conversation_id is None or not call.is_live or not call.takes_part(user_id):
            return True
        with stage("member"):
            stored = self.conversations.get(call.conversation_id)
        return stored is not None and user_id in stored.conversation.participants

    def _announced(self, call: CallState, act: CallCommand) -> CallState | None:
        """Return the call with its announcement; None where it moved on meanwhile."""
        move = state_machine.decide(call, replace(act, action="announce"))
        if isinstance(move, (Rejection, Duplicate)):
            return call
        committed = self.transitions.commit(move, act.now).verdict is CallWriteStatus.COMMITTED
        return move.after if committed else None

    def _seated(self, call: CallState, act: CallCommand, known: MeetingSeat | None) -> MeetingSeat:
        """Return credentials, those of an attempt before if they still hold; of a first answer for the caller, too."""
        user_id = act.actor or ""
        if known is not None and call.meeting_id in (None, known.meeting.meeting_id):
            return known
        return self.seats.of(call, act, [user_id] if call.meeting_id else [call.initiated_by, user_id])

    def _stale(self, user_id: str, locked: Mapping[str, str]) -> dict[str, str]:
        """Return the locks of calls that are over, which give way.

        Raises:
            CallConflictError: the user is in another call that goes on.
        """
        holders = self.calls.read_many(set(locked.values()))
        for holder in holders.values():
            if holder.is_live:
                shown = view(holder, user_id) if holder.takes_part(user_id) else None
                raise CallConflictError("you are in another call", shown)
        return dict(locked)

    def _drop(self, made: str | None, call: CallState) -> None:
        """Delete a meeting that this request made for nothing: the call is over, or has another one."""
        if made is not None and made != call.meeting_id and (not call.is_live or call.meeting_id is not None):
            self.cleaner.drop(made)
        elif made is not None and not call.is_live:
            self.cleaner.clean(call)


def require_caller(call: CallState, user_id: str, caller_id: str | None) -> None:
    """Refuse a request whose `callerId` is not who called.

    Raises:
        ForbiddenError: always then, and where the user takes no part in the call.
    """
    if not call.takes_part(user_id):
        raise ForbiddenError("you are not a participant of this call")
    if caller_id is not None and caller_id != call.initiated_by:
        raise ForbiddenError("callerId is not who called", field="callerId")


def _with_seat(act: CallCommand, seat: MeetingSeat) -> CallCommand:
    ids = {user_id: attendee.AttendeeId for user_id, attendee in seat.attendees.items()}
    return replace(act, meeting_id=seat.meeting.meeting_id, meeting=seat.meeting.document, attendee_ids=ids)


def _answer(call: CallState, user_id: str, seat: MeetingSeat) -> CallAccepted:
    return CallAccepted(
        sessionId=call.session_id,
        call=view(call, user_id),
        meeting=meeting_document(call),
        attendees={user_id: seat.attendees[user_id]},
    )
