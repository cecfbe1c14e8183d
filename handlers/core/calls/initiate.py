"""Calling somebody: who is called, who is busy, and one live call for each user.

The locks of the caller and of everybody who is rung stand in the transaction that stores the call, so that of two users
who call each other at once exactly one gets through. Where the caller has been blocked, nothing reaches the blocker,
and to the caller it looks as if nobody answered.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from contract.calls.models import CallView
from contract.calls.requests import InitiateCall
from contract.calls.responses import CallInitiated
from contract.limits import CALL_RATE
from handlers.core.calls import state_machine
from handlers.core.calls.commands import CallCommand, Duplicate, Rejection
from handlers.core.calls.executor import TransitionExecutor
from handlers.core.calls.invitations import Invitation, Invitations
from handlers.core.calls.ports import CallStore, CallWriteResult, CallWriteStatus, RingTimers
from handlers.core.calls.state import CallState, Participant
from handlers.core.calls.views import view
from handlers.core.conversations.ids import call_id
from handlers.core.shared.errors import CallConflictError, ForbiddenError, TooManyRequestsError, UnavailableError
from handlers.core.shared.ports import Clock, Ids
from handlers.core.shared.retry import attempts
from handlers.core.shared.timing import stage

_log = logging.getLogger(__name__)
_BUSY: Final = "you are in another call"


class _Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is known while a call is being made.

    Args:
        busy: users in another call; of a group call they are not rung.
        taken_over: user id to the session, over by now, that still has the user's lock.
    """

    draft: CallState
    busy: frozenset[str] = frozenset()
    taken_over: Mapping[str, str] = msgspec.field(default_factory=dict)


class CallInitiator(msgspec.Struct, frozen=True, kw_only=True):
    """Makes calls.

    Args:
        ring_seconds: how long a call rings, at most 900.
    """

    calls: CallStore
    transitions: TransitionExecutor
    invitations: Invitations
    timers: RingTimers
    clock: Clock
    ids: Ids
    ring_seconds: int

    def initiate(self, caller: str, request: InitiateCall) -> CallInitiated:
        """Call somebody; a repeated `tempId` answers with the first call, as it is now.

        Raises:
            InvalidRequestError: the fields contradict each other, or name the caller alone.
            ForbiddenError: `initiatedBy` is somebody else, the caller has blocked the user or is not in the group.
            NotFoundError: no such user or conversation.
            CallConflictError: the caller, or everybody called, is in another call.
            TooManyRequestsError: the caller's limit is used up.
            UnavailableError: nothing was stored.
        """
        if request.initiatedBy is not None and request.initiatedBy != caller:
            raise ForbiddenError("initiatedBy is not you", field="initiatedBy")
        session_id = call_id(caller, request.tempId) if request.tempId else self.ids.new()
        if request.tempId:
            with stage("read"):
                earlier = self.calls.read(session_id)
            if earlier is not None:
                return _answer(earlier, caller, duplicate=True)
        with stage("invite"):
            invitation = self.invitations.invite(caller, request)
        self._require_reachable(caller, invitation)
        plan = _Plan(draft=self._draft(session_id, caller, invitation, request.deviceId))
        return self._ring(caller, plan)

    def _ring(self, caller: str, plan: _Plan) -> CallInitiated:
        timer_started = False
        for _ in attempts(self.clock):
            now = self.clock.now()
            draft = _without(plan.draft, plan.busy)
            move = state_machine.decide(None, CallCommand(action="initiate", actor=caller, now=now, draft=draft))
            if isinstance(move, (Rejection, Duplicate)):
                raise TypeError(f"a new call was answered {move}")
            outcome = self.transitions.commit(
                move,
                now,
                taken_over=plan.taken_over,
                listed=tuple(sorted(set(draft.participants) - draft.hidden_from)),
                counted=(caller, CALL_RATE),
                beside=None if timer_started else partial(self._start_timer, draft.session_id),
            )
            timer_started = True
            match outcome.verdict:
                case CallWriteStatus.COMMITTED:
                    return _answer(move.after, caller, duplicate=False)
                case CallWriteStatus.EXHAUSTED:
                    raise TooManyRequestsError("too many calls", retry_after=CALL_RATE.retry_after(now / 1000))
                case CallWriteStatus.LOCKED:
                    plan = self._after_locks(caller, plan, outcome)
                case CallWriteStatus.CONFLICT:
                    earlier = self.calls.read(draft.session_id)
                    if earlier is not None:
                        return _answer(earlier, caller, duplicate=True)
        raise UnavailableError("these users are called too often just now; nothing was stored; try again")

    def _start_timer(self, session_id: str) -> None:
        """Start the timer beside the write: without a call it is harmless; without it the sweep ends the ringing."""
        try:
            started = self.timers.start(session_id, self.ring_seconds)
        except Exception:
            _log.exception("no timer for call %s", session_id)
            return
        if not started:
            _log.error("no timer for call %s; the sweep ends its ringing", session_id)

    def _draft(self, session_id: str, caller: str, invitation: Invitation, device_id: str | None) -> CallState:
        now = self.clock.now()
        called = {
            user_id: Participant(status="RINGING", name=name, rung=user_id not in invitation.hidden_from)
            for user_id, name in invitation.called.items()
        }
        me = Participant(status="JOINED", name=invitation.caller_name, joined_at=now, device_id=device_id)
        return CallState(
            session_id=session_id,
            version=1,
            status="RINGING",
            call_type=invitation.call_type,
            media_type=invitation.media_type,
            initiated_by=caller,
            owner_id=caller,
            participants={caller: me, **called},
            created_at=now,
            rings_until=now + self.ring_seconds * 1000,
            conversation_id=invitation.conversation_id,
            hidden_from=invitation.hidden_from,
        )

    def _require_reachable(self, caller: str, invitation: Invitation) -> None:
        """Answer that a user is busy even to those whom that user has blocked: the answer must not tell them apart."""
        if not invitation.hidden_from:
            return
        held = self.calls.locks(invitation.hidden_from)
        for holder in self.calls.read_many(set(held.values())).values():
            if holder.is_live:
                raise CallConflictError("the user is in another call")

    def _after_locks(self, caller: str, plan: _Plan, outcome: CallWriteResult) -> _Plan:
        """Look at the calls that hold the locks: those that are over give way, the others make their users busy.

        Raises:
            CallConflictError: the caller is busy, or everybody called is.
        """
        holders = self.calls.read_many(set(outcome.locked.values()))
        live = {user_id: holders[held] for user_id, held in outcome.locked.items() if _is_live(holders.get(held))}
        if caller in live:
            raise CallConflictError(_BUSY, _seen(live[caller], caller))
        busy = plan.busy | set(live)
        called = set(plan.draft.participants) - {caller}
        if called <= busy:
            text = "the user is in another call" if len(called) == 1 else "everybody called is in another call"
            raise CallConflictError(text, next((_seen(each, caller) for each in live.values()), None))
        stale = {user_id: held for user_id, held in outcome.locked.items() if user_id not in live}
        return replace(plan, busy=busy, taken_over={**plan.taken_over, **stale})


def _is_live(call: CallState | None) -> bool:
    return call is not None and call.is_live


def _seen(call: CallState, user_id: str) -> CallView | None:
    return view(call, user_id) if call.takes_part(user_id) else None


def _without(draft: CallState, busy: frozenset[str]) -> CallState:
    """Return a call in which the busy are not rung; they may join it later."""
    missing = {
        user_id: replace(each, status="MISSED", rung=False)
        for user_id, each in draft.participants.items()
        if user_id in busy
    }
    return replace(draft, participants={**draft.participants, **missing})


def _answer(call: CallState, caller: str, *, duplicate: bool) -> CallInitiated:
    return CallInitiated(sessionId=call.session_id, call=view(call, caller), duplicate=duplicate)
