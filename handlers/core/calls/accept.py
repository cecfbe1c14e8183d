"""Answers a call, or joins a group call that was answered.

In this order: read and decide; announce that a meeting will be created, so that the call's end finds it even if this
process is killed; create meeting and attendees at Chime, where a repeated request returns the same ones; write the
transition; publish. A meeting that was created for a transition which then lost to the call's end is deleted.

Chime refuses simultaneous requests for one meeting (ConflictException). An accept that meets another one reads the call
again after a pause: by then it has its meeting, or the request succeeds.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from contract.calls.requests import AcceptCall
from contract.calls.responses import CallAccepted
from handlers.core.calls.commands import CallCommand, Duplicate, Rejection, Transition
from handlers.core.calls.events import FAILED, meeting_document
from handlers.core.calls.executor import CALL_TRIES, TransitionExecutor, raise_rejection
from handlers.core.calls.invitations import CallGroups
from handlers.core.calls.meeting_access import MeetingAccess, MeetingCredentials
from handlers.core.calls.meeting_cleanup import MeetingCleanup
from handlers.core.calls.ports import (
    CallStore,
    CallWriteStatus,
    MeetingGoneError,
    MeetingsBusyError,
    MeetingsFailedError,
)
from handlers.core.calls.state import CallState
from handlers.core.calls.state_machine.decisions import apply_rule, decide, find_rule
from handlers.core.calls.views import view
from handlers.core.shared.errors import (
    CallConflictError,
    ChatError,
    ForbiddenError,
    NotFoundError,
    UnavailableError,
)
from handlers.core.shared.ports import Clock
from handlers.core.shared.retry import attempts
from handlers.core.shared.timing import stage

_log = logging.getLogger(__name__)


class CallAcceptor(msgspec.Struct, frozen=True, kw_only=True):
    """Accepts calls."""

    calls: CallStore
    executor: TransitionExecutor
    meeting_access: MeetingAccess
    meeting_cleanup: MeetingCleanup
    conversations: CallGroups
    clock: Clock

    def accept(self, user_id: str, request: AcceptCall) -> CallAccepted:
        """Answer or join a call.

        A repeated request of the same device gets the same response, but with a new version of the call.

        Raises:
            NotFoundError: no such call.
            ForbiddenError: not a participant, no longer in the group, or `callerId` did not initiate the call.
            CallConflictError: the call is over, was answered by another device, or the user is in another call.
            UnavailableError: the meeting could not be created; the call stays as it is.
        """
        created_meeting: str | None = None
        credentials: MeetingCredentials | None = None
        taken_over: dict[str, str] = {}
        for _ in attempts(self.clock, CALL_TRIES):
            call, command = self._read(user_id, request)
            rule = find_rule(call, command)
            if isinstance(rule, Rejection):
                self._discard(created_meeting, call)
                raise_rejection(rule, call, user_id)
            if isinstance(rule, Duplicate):
                raise TypeError("an accept is never a duplicate: it is a rule of its own, `rejoin`")
            announced = self._announce(call, command)
            if announced is None:
                continue
            try:
                credentials = self._credentials(announced, command, credentials)
            except MeetingsBusyError:
                continue
            if announced.meeting_id is None:
                created_meeting = credentials.meeting.meeting_id
            transition = apply_rule(rule, announced, _with_credentials(command, credentials))
            result = self.executor.commit(transition, command.now, taken_over=taken_over, member=user_id)
            if result.status is CallWriteStatus.COMMITTED:
                return _response(transition.after, user_id, credentials)
            taken_over |= self._stale_locks(user_id, result.locked)
        raise UnavailableError("the call changes too often at the moment; try again")

    def _read(self, user_id: str, request: AcceptCall) -> tuple[CallState, CallCommand]:
        with stage("read"):
            call = self.calls.read(request.sessionId)
        if call is None or user_id in call.hidden_from:
            raise NotFoundError("no such call", field="sessionId")
        require_caller(call, user_id, request.callerId)
        command = CallCommand(
            action="accept",
            actor=user_id,
            now=self.clock.now(),
            device_id=request.deviceId,
            is_member=self._is_member(call, user_id),
        )
        return call, command

    def _is_member(self, call: CallState, user_id: str) -> bool:
        if call.conversation_id is None or not call.is_live or not call.is_visible_to(user_id):
            return True
        with stage("member"):
            stored = self.conversations.get(call.conversation_id)
        return stored is not None and user_id in stored.members

    def _announce(self, call: CallState, command: CallCommand) -> CallState | None:
        """Return the call with its announcement; None where another transition was stored first."""
        decision = decide(call, replace(command, action="announce"))
        if not isinstance(decision, Transition):
            return call
        committed = self.executor.commit(decision, command.now).status is CallWriteStatus.COMMITTED
        return decision.after if committed else None

    def _credentials(
        self, call: CallState, command: CallCommand, known: MeetingCredentials | None
    ) -> MeetingCredentials:
        """Return credentials, those of an earlier attempt if still valid; of a first answer for the caller, too."""
        user_id = command.actor or ""
        if known is not None and call.meeting_id in (None, known.meeting.meeting_id):
            return known
        user_ids = [user_id] if call.meeting_id else [call.initiated_by, user_id]
        return self._request_credentials(call, command, user_ids)

    def _request_credentials(
        self, call: CallState, command: CallCommand, user_ids: Sequence[str]
    ) -> MeetingCredentials:
        """Request credentials from Chime.

        Raises:
            CallConflictError: Chime has ended the meeting, and so the call.
            UnavailableError: Chime fails; the users who wait for it were notified, and the call stays as it is.
            MeetingsBusyError: another accept is creating the meeting, or Chime throttles; a later attempt succeeds.
        """
        try:
            with stage("chime"):
                return self.meeting_access.credentials(call, user_ids)
        except MeetingGoneError:
            if call.meeting_id is None:
                raise self._report_failure(call, command) from None
            raise self._end_with_meeting(call, command) from None
        except MeetingsBusyError:
            raise
        except MeetingsFailedError as error:
            _log.warning("no meeting for call %s: %s", call.session_id, error)
            raise self._report_failure(call, command) from error

    def _end_with_meeting(self, call: CallState, command: CallCommand) -> CallConflictError:
        """End a call whose meeting Chime has ended, and return the error that shows it."""
        meeting_ended = CallCommand(action="meeting_ended", actor=None, now=command.now, meeting_id=call.meeting_id)
        try:
            call = self.executor.execute(call.session_id, meeting_ended)
        except CallConflictError:
            _log.info("call %s changed before its end was stored", call.session_id)
        visible = view(call, command.actor) if command.actor and call.is_visible_to(command.actor) else None
        return CallConflictError("the meeting of this call is over", visible)

    def _report_failure(self, call: CallState, command: CallCommand) -> UnavailableError:
        """Publish CALL_ERROR, unless the call has changed meanwhile, and return the error."""
        decision = decide(call, replace(command, action="fail"))
        if isinstance(decision, Transition):
            try:
                self.executor.commit(decision, command.now)
            except ChatError:
                _log.exception("could not publish CALL_ERROR for call %s", call.session_id)
        return UnavailableError(FAILED)

    def _stale_locks(self, user_id: str, locked: Mapping[str, str]) -> dict[str, str]:
        """Return the locks of calls that are over, which may be taken over.

        Raises:
            CallConflictError: the user is in another live call.
        """
        holders = self.calls.read_many(set(locked.values()))
        for holder in holders.values():
            if holder.is_live:
                visible = view(holder, user_id) if holder.is_visible_to(user_id) else None
                raise CallConflictError("you are in another call", visible)
        return dict(locked)

    def _discard(self, created_meeting: str | None, call: CallState) -> None:
        """Delete a meeting that this request created in vain: the call is over, or has another meeting."""
        if created_meeting is None:
            return
        if created_meeting != call.meeting_id and (not call.is_live or call.meeting_id is not None):
            self.meeting_cleanup.delete_unused(created_meeting)
        elif not call.is_live:
            self.meeting_cleanup.clean(call)


def require_caller(call: CallState, user_id: str, caller_id: str | None) -> None:
    """Check that a user is a participant, and that a request's `callerId` is the user who initiated the call.

    Raises:
        ForbiddenError: one of them is not so.
    """
    if not call.is_visible_to(user_id):
        raise ForbiddenError("you are not a participant of this call")
    if caller_id is not None and caller_id != call.initiated_by:
        raise ForbiddenError("callerId is not the user who initiated the call", field="callerId")


def _with_credentials(command: CallCommand, credentials: MeetingCredentials) -> CallCommand:
    meeting = credentials.meeting
    return replace(command, meeting_id=meeting.meeting_id, meeting=meeting.document, attendees=credentials.attendees)


def _response(call: CallState, user_id: str, credentials: MeetingCredentials) -> CallAccepted:
    return CallAccepted(
        sessionId=call.session_id,
        call=view(call, user_id),
        meeting=meeting_document(call),
        attendees={user_id: credentials.attendees[user_id]},
    )
