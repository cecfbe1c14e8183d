"""The end of ringing: T6 where nobody has answered, T6b for those who have not while a group call goes on."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from handlers.core.calls.commands import CallCommand
from handlers.core.calls.executor import TransitionExecutor
from handlers.core.calls.ports import CallStore, RingTimers
from handlers.core.shared.errors import CallConflictError
from handlers.core.shared.ports import Clock


class RingTimeoutHandler(msgspec.Struct, frozen=True):
    """What the ring timer wakes. A timer of a call that was never stored, or is past ringing, does nothing."""

    calls: CallStore
    transitions: TransitionExecutor
    timers: RingTimers
    clock: Clock

    def expire(self, session_id: str) -> bool:
        """End the ringing of a call whose time is up.

        Returns:
            False where the timer came too early and nobody took the next one: it must come again.

        Raises:
            UnavailableError: the store does not answer: it must come again.
        """
        call = self.calls.read(session_id)
        if call is None or not call.is_live or not call.having("RINGING"):
            return True
        early = call.rings_until - self.clock.now()
        if early > 0:
            return self.timers.start(session_id, -(-early // 1000))
        with suppress(CallConflictError):  # somebody answered, declined or hung up in this very moment
            self.transitions.step(session_id, CallCommand(action="timeout", actor=None, now=self.clock.now()))
        return True
