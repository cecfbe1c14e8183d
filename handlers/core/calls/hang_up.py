"""Ends a user's part in a call: reject, cancel, leave, or end it for all participants."""

from __future__ import annotations

import msgspec

from contract.calls.requests import LeaveCall, RejectCall
from contract.calls.responses import CallChanged, CallLeft
from contract.calls.transitions import Action
from handlers.core.calls.accept import require_caller
from handlers.core.calls.commands import CallCommand
from handlers.core.calls.executor import TransitionExecutor
from handlers.core.calls.ports import CallStore
from handlers.core.calls.views import view
from handlers.core.shared.errors import NotFoundError
from handlers.core.shared.ports import Clock


class CallTermination(msgspec.Struct, frozen=True, kw_only=True):
    """Rejects, cancels, leaves and ends calls. A repeated request of the same user gets the same response."""

    calls: CallStore
    executor: TransitionExecutor
    clock: Clock

    def reject(self, user_id: str, request: RejectCall) -> CallChanged:
        """Decline a call.

        Raises:
            NotFoundError, ForbiddenError, CallConflictError, UnavailableError: as `TransitionExecutor.execute`.
        """
        if request.callerId is not None:
            call = self.calls.read(request.sessionId)
            if call is None or user_id in call.hidden_from:
                raise NotFoundError("no such call", field="sessionId")
            require_caller(call, user_id, request.callerId)
        return self._execute("reject", user_id, request.sessionId)

    def cancel(self, user_id: str, session_id: str) -> CallChanged:
        """Cancel a call before it is answered. Raises as `TransitionExecutor.execute`."""
        return self._execute("cancel", user_id, session_id)

    def end(self, user_id: str, session_id: str) -> CallChanged:
        """End a call; while it rings, the caller cancels it. Raises as `TransitionExecutor.execute`."""
        return self._execute("end", user_id, session_id)

    def leave(self, user_id: str, request: LeaveCall) -> CallLeft:
        """Leave a call; while it rings, the caller cancels it. Raises as `TransitionExecutor.execute`."""
        command = CallCommand(action="leave", actor=user_id, now=self.clock.now(), successor=request.newOwnerId)
        call = self.executor.execute(request.sessionId, command)
        owner = call.owner_id if call.is_live else None
        return CallLeft(sessionId=request.sessionId, call=view(call, user_id), newOwnerId=owner)

    def _execute(self, action: Action, user_id: str, session_id: str) -> CallChanged:
        command = CallCommand(action=action, actor=user_id, now=self.clock.now())
        call = self.executor.execute(session_id, command)
        return CallChanged(sessionId=session_id, call=view(call, user_id))
