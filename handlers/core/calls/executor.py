"""Carrying out transitions: decide, write all of it at once, tell everybody, and leave no meeting behind.

Every transition is one conditional write on the version that the decision rests on. Whoever loses reads the call again
and decides again; whoever then may no longer do it gets 409 with the call as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final, NoReturn

import msgspec

from contract.calls.models import Attendee
from contract.limits import RateLimit
from handlers.core.calls import state_machine
from handlers.core.calls.commands import CallCommand, Duplicate, Rejection, Transition
from handlers.core.calls.events import Wave, waves
from handlers.core.calls.meeting_cleanup import MeetingCleanup
from handlers.core.calls.ports import CallLog, CallLogEntry, CallStore, CallWrite, CallWriteResult, CallWriteStatus
from handlers.core.calls.state import CallState
from handlers.core.calls.views import view
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.shared import concurrency
from handlers.core.shared.errors import (
    CallConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknownError,
    UnavailableError,
)
from handlers.core.shared.ports import Clock, Ids
from handlers.core.shared.retry import attempts
from handlers.core.shared.timing import stage

_log = logging.getLogger(__name__)
CALL_TRIES: Final = 25
"""How often a transition is tried: all the members of the largest call may answer at once, and one wins at a time."""
_OUTCOMES: Final = {
    "T1": "initiated",
    "T2": "accepted",
    "T3": "joined",
    "T4": "rejected",
    "T4b": "rejected",
    "T5": "cancelled",
    "T6": "missed",
    "T6b": "missed",
    "T7": "left",
    "T8": "ended",
    "T9": "cancelled",
    "S2": "ended",
    "S3": "ended",
    "S4": "failed",
}
"""What the log calls each rule; those that are not here are not worth a line."""
_ANSWERS: Final = frozenset({"T2", "T4", "T5", "T6", "T9"})
"""The rules that end a ringing, in one way or the other."""


class ExecutedTransition(msgspec.Struct, frozen=True):
    """A call after a step; `move` is None where nothing had to be done."""

    call: CallState
    move: Transition | None = None


class TransitionExecutor(msgspec.Struct, frozen=True, kw_only=True):
    """Carries out what the state machine decides."""

    calls: CallStore
    dispatcher: Dispatcher
    cleaner: MeetingCleanup
    clock: Clock
    ids: Ids
    journal: CallLog

    def step(self, session_id: str, act: CallCommand) -> ExecutedTransition:
        """Carry out an act, however often the call moves on meanwhile.

        Args:
            act: what is wanted; its time is set here, anew for each attempt.

        Raises:
            NotFoundError, ForbiddenError, CallConflictError, InvalidRequestError: the state machine refuses.
            UnavailableError: too many transitions at once, or the store does not answer; nothing was stored.
        """
        foreign = frozenset[str]()
        for _ in attempts(self.clock, CALL_TRIES):
            with stage("read"):
                call = self.calls.read(session_id)
            timed = msgspec.structs.replace(act, now=self.clock.now())
            decision = state_machine.decide(call, timed)
            if isinstance(decision, Rejection):
                self.refuse(decision, call, act.actor)
            if isinstance(decision, Duplicate):
                if call is None:
                    raise NotFoundError("no such call", field="sessionId")
                return ExecutedTransition(call)
            outcome = self.commit(decision, timed.now, foreign=foreign)
            if outcome.verdict is CallWriteStatus.COMMITTED:
                return ExecutedTransition(decision.after, decision)
            foreign |= frozenset(outcome.locked)
        raise UnavailableError("the call changes too often just now; nothing was stored; try again")

    def commit(
        self,
        move: Transition,
        now: int,
        *,
        credentials: Mapping[str, Attendee] | None = None,
        taken_over: Mapping[str, str] | None = None,
        foreign: frozenset[str] = frozenset(),
        listed: tuple[str, ...] = (),
        counted: tuple[str, RateLimit] | None = None,
        beside: Callable[[], object] | None = None,
    ) -> CallWriteResult:
        """Write a move, then tell everybody and delete the meeting of a call that is over.

        Args:
            now: milliseconds since the epoch, of the decision.
            credentials: by user id, for those who are told that they are connected.
            taken_over: user id to the session, over by now, whose lock is taken over.
            foreign: users whose locks turned out to be another call's, which then stay.
            listed, counted: as in `CallWrite`.
            beside: what is done at the same time as the write.
        """
        held = move.before.locked() if move.before else frozenset[str]()
        takes = {user_id: (taken_over or {}).get(user_id) for user_id in sorted(move.after.locked() - held)}
        out = waves(move, self.ids, now, credentials or {})
        transition = CallWrite(
            before=move.before,
            after=move.after,
            takes=takes,
            frees=held - move.after.locked() - foreign,
            listed=listed,
            outbox=tuple(record for wave in out for record in wave),
            counted=counted,
            now=now,
        )
        with stage("store"):
            outcome = self._write(transition) if beside is None else self._write_beside(transition, beside)
        if outcome.verdict is CallWriteStatus.COMMITTED:
            self._told(move, out, now)
            self.cleaner.put_out(move.before, move.after)
            self.cleaner.clean(move.after)
        return outcome

    def refuse(self, refusal: Rejection, call: CallState | None, user_id: str | None) -> NoReturn:
        """Raise what a refusal stands for; a conflict shows its user the call as it is.

        Raises:
            NotFoundError, ForbiddenError, CallConflictError, InvalidRequestError: always one of them.
        """
        match refusal.code:
            case "NOT_FOUND":
                raise NotFoundError(refusal.message, field=refusal.field)
            case "FORBIDDEN":
                raise ForbiddenError(refusal.message, field=refusal.field)
            case "INVALID_REQUEST":
                raise InvalidRequestError(refusal.message, field=refusal.field)
        shown = view(call, user_id) if call and user_id and call.takes_part(user_id) else None
        raise CallConflictError(refusal.message, shown, field=refusal.field)

    def _write_beside(self, transition: CallWrite, beside: Callable[[], object]) -> CallWriteResult:
        outcome, _ = concurrency.both(lambda: self._write(transition), beside)
        return outcome

    def _write(self, transition: CallWrite) -> CallWriteResult:
        """Write; where nobody answers, the call itself says whether it happened."""
        try:
            return self.calls.commit(transition)
        except OutcomeUnknownError:
            _log.warning(
                "nobody answered for version %d of call %s", transition.after.version, transition.after.session_id
            )
            happened = self.calls.read(transition.after.session_id) == transition.after
            return CallWriteResult(verdict=CallWriteStatus.COMMITTED if happened else CallWriteStatus.CONFLICT)

    def _told(self, move: Transition, out: tuple[Wave, ...], now: int) -> None:
        self._note(move, now)
        for number, wave in enumerate(out):
            pending = sum(self._dispatch(wave))
            if move.rule == "T1" and number == 0 and len(out) > 1 and not pending:
                self.journal.note(_noted(move, "delivered", now))

    def _dispatch(self, wave: Wave) -> list[int]:
        def pending(record: OutboxRecord) -> int:
            if record.expired(self.clock.now()):
                return len(record.recipients)  # the relay drops it
            return self.dispatcher.dispatch(record).pending

        return concurrency.each(pending, wave)

    def _note(self, move: Transition, now: int) -> None:
        outcome = _OUTCOMES.get(move.rule)
        if outcome is not None:
            self.journal.note(_noted(move, outcome, now))


def _noted(move: Transition, outcome: str, now: int) -> CallLogEntry:
    call = move.after
    return CallLogEntry(
        rule=move.rule,
        outcome=outcome,
        session_id=call.session_id,
        status=call.status,
        ring_milliseconds=now - call.created_at if move.rule in _ANSWERS else None,
        duration_seconds=call.duration,
    )
