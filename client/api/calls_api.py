"""The routes of calls. Repeating a request is safe: the same user gets the same response again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from client.api.transport import HttpTransport
from contract.calls import requests, responses
from contract.calls.models import MediaType


class CallsApi(HttpTransport):
    """The routes of calls, as one signed-in user calls them. A ConflictError carries the call as it is now."""

    async def initiate_call(
        self,
        *,
        recipient_id: str | None = None,
        conversation_id: str | None = None,
        participant_ids: Sequence[str] | None = None,
        call_type: Literal["DIRECT", "GROUP", "AUDIO", "VIDEO"] | None = None,
        media_type: MediaType | None = None,
        device_id: str | None = None,
        temp_id: str | None = None,
    ) -> responses.CallInitiated:
        """Call a user (`recipient_id`) or the members of a group (`conversation_id`).

        Args:
            recipient_id: whom to call directly.
            conversation_id: the group whose members to call.
            participant_ids: the members to call, for some of a group.
            call_type: may be omitted; AUDIO or VIDEO means a direct call with that medium.
            media_type: AUDIO if omitted.
            device_id: the calling device.
            temp_id: the client's own id of the call; without it the request is not retried.
        """
        request = requests.InitiateCall(
            recipientId=recipient_id,
            conversationId=conversation_id,
            participantIds=None if participant_ids is None else list(participant_ids),
            callType=call_type,
            mediaType=media_type,
            deviceId=device_id,
            tempId=temp_id,
        )
        return await self._request("initiateCall", request, responses.CallInitiated, once=temp_id is None)

    async def accept_call(self, session_id: str, *, device_id: str | None = None) -> responses.CallAccepted:
        """Answer a call, join an active group call, or read the attendee again from the same device."""
        request = requests.AcceptCall(sessionId=session_id, deviceId=device_id)
        return await self._request("acceptCall", request, responses.CallAccepted)

    async def reject_call(self, session_id: str) -> responses.CallChanged:
        """Decline a call."""
        return await self._request("rejectCall", requests.RejectCall(sessionId=session_id), responses.CallChanged)

    async def cancel_call(self, session_id: str) -> responses.CallChanged:
        """Cancel the user's own call before it is answered."""
        return await self._request("cancelCall", requests.CancelCall(sessionId=session_id), responses.CallChanged)

    async def leave_call(self, session_id: str, *, new_owner_id: str | None = None) -> responses.CallLeft:
        """Leave a call; the owner of a group call may name a successor."""
        request = requests.LeaveCall(sessionId=session_id, newOwnerId=new_owner_id)
        return await self._request("leaveCall", request, responses.CallLeft)

    async def end_call(self, session_id: str) -> responses.CallChanged:
        """End a call for all participants."""
        return await self._request("endCall", requests.EndCall(sessionId=session_id), responses.CallChanged)

    async def calls(
        self, *, state: Literal["active", "history"] | None = None, limit: int | None = None, cursor: str | None = None
    ) -> responses.CallPage:
        """Read a page of the user's calls, newest first."""
        query = {"state": state, "limit": limit, "cursor": cursor}
        return await self._request("listCalls", query, responses.CallPage)

    async def call(self, session_id: str) -> responses.CallAnswer:
        """Read one call."""
        return await self._request("getCall", {}, responses.CallAnswer, path={"sessionId": session_id})
