"""The ways out of a call: decline it, take it back, leave it, end it for everybody."""

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
    """Gets users out of calls. The same user asking for the same again gets the same answer."""

    calls: CallStore
    transitions: TransitionExecutor
    clock: Clock

    def reject(self, user_id: str, request: RejectCall) -> CallChanged:
        """Decline a call.

        Raises:
            NotFoundError, ForbiddenError, CallConflictError, UnavailableError: as `TransitionExecutor.step`.
        """
        if request.callerId is not None:
            call = self.calls.read(request.sessionId)
            if call is None or user_id in call.hidden_from:
                raise NotFoundError("no such call", field="sessionId")
            require_caller(call, user_id, request.callerId)
        return self._changed("reject", user_id, request.sessionId)

    def cancel(self, user_id: str, session_id: str) -> CallChanged:
        """Take back a call before anybody has answered. Raises as `TransitionExecutor.step`."""
        return self._changed("cancel", user_id, session_id)

    def end(self, user_id: str, session_id: str) -> CallChanged:
        """End a call for everybody; while it rings, the caller takes it back. Raises as `TransitionExecutor.step`."""
        return self._changed("end", user_id, session_id)

    def leave(self, user_id: str, request: LeaveCall) -> CallLeft:
        """Leave a call; while it rings, the caller takes it back. Raises as `TransitionExecutor.step`."""
        act = CallCommand(action="leave", actor=user_id, now=self.clock.now(), successor=request.newOwnerId)
        call = self.transitions.step(request.sessionId, act).call
        owner = call.owner_id if call.is_live else None
        return CallLeft(sessionId=request.sessionId, call=view(call, user_id), newOwnerId=owner)

    def _changed(self, action: Action, user_id: str, session_id: str) -> CallChanged:
        act = CallCommand(action=action, actor=user_id, now=self.clock.now())
        call = self.transitions.step(session_id, act).call
        return CallChanged(sessionId=session_id, call=view(call, user_id))
