"""The calls routes. All of them may be repeated: the same user doing the same again gets the same answer."""

from __future__ import annotations

from typing import Literal

from client.api.transport import Requester
from contract.calls import requests as call_requests
from contract.calls import responses as call_responses


class CallsApi(Requester):
    """Calls as one signed-in user makes them. A ConflictError carries the call as it is now."""

    async def initiate_call(self, request: call_requests.InitiateCall) -> call_responses.CallInitiated:
        """Call somebody; repeated only with a `tempId`."""
        return await self._call("initiateCall", request, call_responses.CallInitiated, once=request.tempId is None)

    async def accept_call(self, session_id: str, *, device_id: str | None = None) -> call_responses.CallAccepted:
        """Answer a call, or ask again for one's own credentials from the same device."""
        request = call_requests.AcceptCall(sessionId=session_id, deviceId=device_id)
        return await self._call("acceptCall", request, call_responses.CallAccepted)

    async def reject_call(self, session_id: str) -> call_responses.CallChanged:
        """Decline a call."""
        request = call_requests.RejectCall(sessionId=session_id)
        return await self._call("rejectCall", request, call_responses.CallChanged)

    async def cancel_call(self, session_id: str) -> call_responses.CallChanged:
        """Take back an own call that nobody has answered."""
        request = call_requests.CancelCall(sessionId=session_id)
        return await self._call("cancelCall", request, call_responses.CallChanged)

    async def leave_call(self, session_id: str, *, new_owner_id: str | None = None) -> call_responses.CallLeft:
        """Leave a call; the owner of a group call may name a successor."""
        request = call_requests.LeaveCall(sessionId=session_id, newOwnerId=new_owner_id)
        return await self._call("leaveCall", request, call_responses.CallLeft)

    async def end_call(self, session_id: str) -> call_responses.CallChanged:
        """End a call for everybody."""
        request = call_requests.EndCall(sessionId=session_id)
        return await self._call("endCall", request, call_responses.CallChanged)

    async def calls(
        self, *, state: Literal["active", "history"] | None = None, limit: int | None = None, cursor: str | None = None
    ) -> call_responses.CallPage:
        """Read a page of the caller's calls, newest first."""
        query = {"state": state, "limit": limit, "cursor": cursor}
        return await self._call("listCalls", query, call_responses.CallPage)

    async def call(self, session_id: str) -> call_responses.CallAnswer:
        """Read one call."""
        return await self._call("getCall", {}, call_responses.CallAnswer, sessionId=session_id)
