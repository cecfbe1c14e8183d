"""Ends the ringing of a call (T6), and of the participants who have not answered a group call that continues (T6b)."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from handlers.core.calls.commands import CallCommand
from handlers.core.calls.executor import TransitionExecutor
from handlers.core.calls.ports import CallStore, RingTimers
from handlers.core.shared.errors import CallConflictError
from handlers.core.shared.ports import Clock


class RingTimeoutHandler(msgspec.Struct, frozen=True):
    """Handles ring timers. A timer of a call that was never stored, or does not ring any more, has no effect."""

    calls: CallStore
    executor: TransitionExecutor
    timers: RingTimers
    clock: Clock

    def expire(self, session_id: str) -> bool:
        """End the ringing of a call whose ring time is over.

        Returns:
            False where the timer was early and the next one could not be started: this one must be delivered again.

        Raises:
            UnavailableError: the store does not answer: the timer must be delivered again.
        """
        call = self.calls.read(session_id)
        if call is None or not call.is_live or not call.with_status("RINGING"):
            return True
        remaining = call.rings_until - self.clock.now()
        if remaining > 0:
            return self.timers.start(session_id, -(-remaining // 1000))
        with suppress(CallConflictError):  # the call was answered, rejected or cancelled since it was read
            self.executor.execute(session_id, CallCommand(action="timeout", actor=None, now=self.clock.now()))
        return True
