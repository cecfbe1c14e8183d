"""Executes transitions: decides, writes everything in one transaction, publishes, and deletes unused meetings.

Every transition is one conditional write on the version that the decision is based on. A command that loses the race
reads the call again and decides again; where it is not allowed any more, it gets 409 with the call as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final, NoReturn

import msgspec
from msgspec.structs import replace

from contract.canary import is_canary
from contract.limits import CALL_RATE
from handlers.core.calls.commands import CallCommand, Duplicate, Rejection, Transition
from handlers.core.calls.events import EventBatch, event_batches
from handlers.core.calls.meeting_cleanup import MeetingCleanup
from handlers.core.calls.ports import CallLog, CallLogEntry, CallStore, CallWrite, CallWriteResult, CallWriteStatus
from handlers.core.calls.state import CallState
from handlers.core.calls.state_machine.decisions import decide
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
"""Attempts of one transition: all members of the largest call may answer at once, and one at a time succeeds."""


class _PreparedWrite(msgspec.Struct, frozen=True):
    """A transition with its events, and everything that its transaction stores."""

    transition: Transition
    batches: tuple[EventBatch, ...]
    write: CallWrite


class TransitionExecutor(msgspec.Struct, frozen=True, kw_only=True):
    """Executes the transitions that the state machine decides."""

    calls: CallStore
    dispatcher: Dispatcher
    meeting_cleanup: MeetingCleanup
    clock: Clock
    ids: Ids
    log: CallLog

    def execute(self, session_id: str, command: CallCommand) -> CallState:
        """Execute a command and return the call afterwards; a duplicate changes nothing.

        Args:
            command: its time is replaced by the clock's, for each attempt.

        Raises:
            NotFoundError, ForbiddenError, CallConflictError, InvalidRequestError: the state machine rejects it.
            UnavailableError: too many concurrent transitions, or the store does not answer; nothing was stored.
        """
        foreign_locks = frozenset[str]()
        for _ in attempts(self.clock, CALL_TRIES):
            with stage("read"):
                call = self.calls.read(session_id)
            command = replace(command, now=self.clock.now())
            decision = decide(call, command)
            if isinstance(decision, Rejection):
                raise_rejection(decision, call, command.actor)
            if isinstance(decision, Duplicate):
                if call is None:
                    raise NotFoundError("no such call", field="sessionId")
                return call
            prepared = self._prepare(decision, command.now, {})
            write = replace(prepared.write, free_locks=prepared.write.free_locks - foreign_locks)
            result = self._commit(replace(prepared, write=write))
            if result.status is CallWriteStatus.COMMITTED:
                return decision.after
            foreign_locks |= frozenset(result.locked)
        raise UnavailableError("the call changes too often at the moment; nothing was stored; try again")

    def commit(
        self,
        transition: Transition,
        now: int,
        *,
        taken_over: Mapping[str, str] | None = None,
        member: str | None = None,
    ) -> CallWriteResult:
        """Write a transition once; if it is stored, publish its events and delete the meeting of a call that is over.

        Args:
            now: milliseconds since the epoch, of the decision.
            taken_over: user id to the session, over by now, whose lock is taken over.
            member: the user who must be a member of the group of a group call when the transition is stored.
        """
        return self._commit(self._prepare(transition, now, taken_over or {}, member))

    def _prepare(
        self, transition: Transition, now: int, taken_over: Mapping[str, str], member: str | None = None
    ) -> _PreparedWrite:
        """Return the write of a transition; a new call is listed and counts against its caller's rate limit."""
        before, after = transition.before, transition.after
        batches = event_batches(transition, self.ids, now)
        held = before.locked_users() if before else frozenset[str]()
        write = CallWrite(
            before=before,
            after=after,
            take_locks={user_id: taken_over.get(user_id) for user_id in sorted(after.locked_users() - held)},
            free_locks=held - after.locked_users(),
            listed_for=() if before else tuple(sorted(set(after.participants) - after.hidden_from)),
            outbox=tuple(record for batch in batches for record in batch.records),
            rate_limit=None if before else (after.initiated_by, CALL_RATE),
            member=(member, after.conversation_id) if member and after.conversation_id else None,
            now=now,
        )
        return _PreparedWrite(transition, batches, write)

    def _commit(self, prepared: _PreparedWrite) -> CallWriteResult:
        with stage("store"):
            result = self._write(prepared.write)
        if result.status is CallWriteStatus.COMMITTED:
            transition = prepared.transition
            self._log_transition(transition, prepared.write.now)
            self._publish(prepared)
            self.meeting_cleanup.remove_departed(transition.before, transition.after)
            self.meeting_cleanup.clean(transition.after)
        return result

    def _write(self, write: CallWrite) -> CallWriteResult:
        """Write; where the outcome is unknown, the stored call shows whether it happened."""
        try:
            return self.calls.commit(write)
        except OutcomeUnknownError:
            _log.warning(
                "DynamoDB write outcome unknown: call %s, version %d", write.after.session_id, write.after.version
            )
            happened = self.calls.read(write.after.session_id) == write.after
            return CallWriteResult(status=CallWriteStatus.COMMITTED if happened else CallWriteStatus.CONFLICT)

    def _publish(self, prepared: _PreparedWrite) -> None:
        for batch in prepared.batches:
            pending = sum(concurrency.each(self._dispatch, batch.records))
            if batch.event == "INCOMING_CALL" and not pending:
                self.log.write(_log_entry(prepared.transition, "delivered", prepared.write.now))

    def _dispatch(self, record: OutboxRecord) -> int:
        """Publish one record and return how many recipients are left to the relay, which deletes expired records."""
        if record.expired(self.clock.now()):
            return len(record.recipients)
        return self.dispatcher.dispatch(record).pending

    def _log_transition(self, transition: Transition, now: int) -> None:
        if transition.rule.outcome is not None:
            self.log.write(_log_entry(transition, transition.rule.outcome, now))


def raise_rejection(rejection: Rejection, call: CallState | None, user_id: str | None) -> NoReturn:
    """Raise the error of a rejection; a conflict has the call as the user sees it.

    Raises:
        NotFoundError, ForbiddenError, CallConflictError, InvalidRequestError: always one of them.
    """
    match rejection.code:
        case "NOT_FOUND":
            raise NotFoundError(rejection.message, field=rejection.field)
        case "FORBIDDEN":
            raise ForbiddenError(rejection.message, field=rejection.field)
        case "INVALID_REQUEST":
            raise InvalidRequestError(rejection.message, field=rejection.field)
    visible = view(call, user_id) if call and user_id and call.is_visible_to(user_id) else None
    raise CallConflictError(rejection.message, visible, field=rejection.field)


def _log_entry(transition: Transition, outcome: str, now: int) -> CallLogEntry:
    call = transition.after
    return CallLogEntry(
        rule=transition.rule.name,
        outcome=outcome,
        session_id=call.session_id,
        status=call.status,
        ring_milliseconds=now - call.created_at if transition.rule.ends_ringing else None,
        duration_seconds=call.duration,
        is_canary=is_canary(call.conversation_id),
    )
