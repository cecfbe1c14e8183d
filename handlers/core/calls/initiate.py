"""Initiates calls: determines who is called and who is busy, with at most one live call for each user.

The locks of the caller and of all users who are rung are in the transaction that stores the call, so that exactly one
call succeeds when two users call each other at the same time. Where the recipient has blocked the caller, nothing is
published to the recipient, and to the caller it looks as if the call was not answered.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from contract.calls.models import CallView
from contract.calls.requests import InitiateCall
from contract.calls.responses import CallInitiated
from contract.limits import CALL_RATE
from handlers.core.calls.commands import CallCommand, Transition
from handlers.core.calls.executor import TransitionExecutor
from handlers.core.calls.invitations import Invitation, Invitations
from handlers.core.calls.ports import CallStore, CallWriteResult, CallWriteStatus, RingTimers
from handlers.core.calls.state import CallState, Participant
from handlers.core.calls.state_machine.decisions import decide
from handlers.core.calls.views import view
from handlers.core.shared.concurrency import both
from handlers.core.shared.errors import CallConflictError, ForbiddenError, TooManyRequestsError, UnavailableError
from handlers.core.shared.ports import Clock, Ids
from handlers.core.shared.retry import attempts
from handlers.core.shared.timing import stage

_log = logging.getLogger(__name__)
_ID_NAMESPACE: Final = uuid.UUID("0b1d3d4e-5c55-5f0c-9d0f-6f1a2c3b4d5e")


class _Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A call to be stored, with the locks found by earlier attempts.

    Args:
        busy: users in another call; in a group call they are not rung.
        taken_over: user id to the session, over by now, that still holds the user's lock.
    """

    draft: CallState
    busy: frozenset[str] = frozenset()
    taken_over: Mapping[str, str] = msgspec.field(default_factory=dict)


class CallInitiator(msgspec.Struct, frozen=True, kw_only=True):
    """Initiates calls.

    Args:
        ring_seconds: how long a call rings, at most 900.
    """

    calls: CallStore
    executor: TransitionExecutor
    invitations: Invitations
    timers: RingTimers
    clock: Clock
    ids: Ids
    ring_seconds: int

    def initiate(self, caller: str, request: InitiateCall) -> CallInitiated:
        """Initiate a call; a repeated `tempId` returns the first call, as it is now.

        Raises:
            InvalidRequestError: the fields contradict each other, or only the caller would be called.
            ForbiddenError: `initiatedBy` is another user, the caller has blocked the user or is not in the group.
            NotFoundError: no such user or conversation.
            CallConflictError: the caller is in another call, or all users to be called are.
            TooManyRequestsError: the caller's rate limit is used up.
            UnavailableError: nothing was stored.
        """
        if request.initiatedBy is not None and request.initiatedBy != caller:
            raise ForbiddenError("initiatedBy must be your own user id", field="initiatedBy")
        session_id = call_id(caller, request.tempId) if request.tempId else self.ids.new()
        if request.tempId:
            with stage("read"):
                earlier = self.calls.read(session_id)
            if earlier is not None:
                return _response(earlier, caller, duplicate=True)
        with stage("invite"):
            invitation = self.invitations.invite(caller, request)
        busy = self._busy_hidden(invitation)
        plan = _Plan(draft=self._draft(session_id, caller, invitation, request.deviceId), busy=busy)
        response, _ = both(lambda: self._store(caller, plan), partial(self._start_timer, session_id))
        return response

    def _store(self, caller: str, plan: _Plan) -> CallInitiated:
        for _ in attempts(self.clock):
            now = self.clock.now()
            draft = _without_busy(plan.draft, plan.busy)
            decision = decide(None, CallCommand(action="initiate", actor=caller, now=now, draft=draft))
            if not isinstance(decision, Transition):
                raise TypeError(f"the state machine rejected a new call: {decision}")
            result = self.executor.commit(decision, now, taken_over=plan.taken_over, member=caller)
            match result.status:
                case CallWriteStatus.COMMITTED:
                    return _response(decision.after, caller, duplicate=False)
                case CallWriteStatus.EXHAUSTED:
                    raise TooManyRequestsError("too many calls", retry_after=CALL_RATE.retry_after(now / 1000))
                case CallWriteStatus.NOT_MEMBER:
                    raise ForbiddenError("you are not a participant of this conversation")
                case CallWriteStatus.LOCKED:
                    plan = self._resolve_locks(caller, plan, result)
                case CallWriteStatus.CONFLICT:
                    earlier = self.calls.read(draft.session_id)
                    if earlier is not None:
                        return _response(earlier, caller, duplicate=True)
        raise UnavailableError("too many concurrent calls to these users; nothing was stored; try again")

    def _start_timer(self, session_id: str) -> None:
        """Start the ring timer, concurrently with the write.

        A timer of a call that was not stored has no effect; without a timer, the sweep ends the ringing.
        """
        try:
            started = self.timers.start(session_id, self.ring_seconds)
        except Exception:
            _log.exception("could not start the ring timer of call %s; the sweep will end its ringing", session_id)
            return
        if not started:
            _log.error("could not start the ring timer of call %s; the sweep will end its ringing", session_id)

    def _draft(self, session_id: str, caller: str, invitation: Invitation, device_id: str | None) -> CallState:
        now = self.clock.now()
        called = {
            user_id: Participant(status="RINGING", name=name, rung=user_id not in invitation.hidden_from)
            for user_id, name in invitation.called.items()
        }
        own = Participant(status="JOINED", name=invitation.caller_name, joined_at=now, device_id=device_id)
        return CallState(
            session_id=session_id,
            version=1,
            status="RINGING",
            call_type=invitation.call_type,
            media_type=invitation.media_type,
            initiated_by=caller,
            owner_id=caller,
            participants={caller: own, **called},
            created_at=now,
            rings_until=now + self.ring_seconds * 1000,
            conversation_id=invitation.conversation_id,
            hidden_from=invitation.hidden_from,
        )

    def _busy_hidden(self, invitation: Invitation) -> frozenset[str]:
        """Return the called users who do not get the call, and are in another one.

        Their locks are not in the transaction; without this check a blocked caller would learn of the block, because
        such a user would never be busy.

        Raises:
            CallConflictError: they are all users to be called.
        """
        if not invitation.hidden_from:
            return frozenset()
        locks = self.calls.locks(invitation.hidden_from)
        holders = self.calls.read_many(set(locks.values()))
        busy = frozenset(user_id for user_id, held in locks.items() if _is_live(holders.get(held)))
        if busy >= invitation.called.keys():
            raise CallConflictError(_all_busy(len(invitation.called)))
        return busy

    def _resolve_locks(self, caller: str, plan: _Plan, result: CallWriteResult) -> _Plan:
        """Read the calls that hold the locks: locks of calls that are over are taken over, the other users are busy.

        Raises:
            CallConflictError: the caller is busy, or all users to be called are.
        """
        holders = self.calls.read_many(set(result.locked.values()))
        live = {user_id: holders[held] for user_id, held in result.locked.items() if _is_live(holders.get(held))}
        if caller in live:
            raise CallConflictError("you are in another call", _visible(live[caller], caller))
        busy = plan.busy | set(live)
        called = set(plan.draft.participants) - {caller}
        if called <= busy:
            raise CallConflictError(
                _all_busy(len(called)), next((_visible(each, caller) for each in live.values()), None)
            )
        stale = {user_id: held for user_id, held in result.locked.items() if user_id not in live}
        return replace(plan, busy=busy, taken_over={**plan.taken_over, **stale})


def call_id(caller: str, temp_id: str) -> str:
    """Return the session id of the call that a user initiated with a tempId: a name-based UUID."""
    return str(uuid.uuid5(_ID_NAMESPACE, f"call#{caller}#{temp_id}"))


def _all_busy(called: int) -> str:
    return "the user is in another call" if called == 1 else "all users to be called are in another call"


def _is_live(call: CallState | None) -> bool:
    return call is not None and call.is_live


def _visible(call: CallState, user_id: str) -> CallView | None:
    return view(call, user_id) if call.is_visible_to(user_id) else None


def _without_busy(draft: CallState, busy: frozenset[str]) -> CallState:
    """Return a call in which busy users are not rung; they may join it later."""
    missed = {
        user_id: replace(each, status="MISSED", rung=False)
        for user_id, each in draft.participants.items()
        if user_id in busy
    }
    return replace(draft, participants={**draft.participants, **missed})


def _response(call: CallState, caller: str, *, duplicate: bool) -> CallInitiated:
    return CallInitiated(sessionId=call.session_id, call=view(call, caller), duplicate=duplicate)
