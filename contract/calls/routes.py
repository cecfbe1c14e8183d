"""The routes of calls. Whoever comes too late gets 409, and the call as it is now in the answer's `call`."""

from __future__ import annotations

from typing import Final

from contract import requests
from contract.calls import requests as call_requests
from contract.calls import responses as call_responses
from contract.limits import CALL_RATE
from contract.route import Route

_NOT_YOURS: Final = (403, "the caller is not a participant of the call")
_UNKNOWN: Final = (404, "no such call")
_CLAIM: Final = (403, "the caller is not a participant of the call, or callerId is not who called")

CALL_ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "calls",
        "initiateCall",
        "POST",
        "/api/calls/initiate",
        "Call a user, or the members of a group.",
        call_requests.InitiateCall,
        call_responses.CallInitiated,
        refusals=(
            (403, "initiatedBy is somebody else, the caller has blocked the user, or is not a member of the group"),
            (404, "no such user or conversation"),
            (409, "the caller or everybody called is in another call"),
            (429, "too many calls"),
            (503, "nothing was stored"),
        ),
        rate=CALL_RATE,
        guide="G:1407",
    ),
    Route(
        "calls",
        "acceptCall",
        "POST",
        "/api/calls/accept",
        "Answer a call, or join a group call that goes on; answers with the caller's own credentials.",
        call_requests.AcceptCall,
        call_responses.CallAccepted,
        refusals=(
            (403, "the caller is not a participant, is no longer in the group, or callerId is not who called"),
            _UNKNOWN,
            (409, "the call is over, was answered by another device, or the caller is in another call"),
            (503, "the meeting cannot be made just now; the call rings on"),
        ),
        guide="G:1488",
    ),
    Route(
        "calls",
        "rejectCall",
        "POST",
        "/api/calls/reject",
        "Decline a call.",
        call_requests.RejectCall,
        call_responses.CallChanged,
        refusals=(_CLAIM, _UNKNOWN, (409, "the call does not ring for the caller any more")),
        guide="G:1558",
    ),
    Route(
        "calls",
        "cancelCall",
        "POST",
        "/api/calls/cancel",
        "Take back a call before anybody has answered.",
        call_requests.CancelCall,
        call_responses.CallChanged,
        refusals=((403, "somebody else called"), _UNKNOWN, (409, "the call rings no more")),
    ),
    Route(
        "calls",
        "leaveCall",
        "POST",
        "/api/calls/leave",
        "Leave a call; a direct call ends, a group call goes on as long as somebody is in it.",
        call_requests.LeaveCall,
        call_responses.CallLeft,
        refusals=(
            (403, "the caller is not a participant, or names a successor without being the owner"),
            _UNKNOWN,
            (409, "the caller is not in the call, it is over, or the successor is not in it"),
        ),
        guide="G:1641",
    ),
    Route(
        "calls",
        "endCall",
        "POST",
        "/api/calls/end",
        "End a call for everybody: either party of a direct call, the owner of a group call.",
        call_requests.EndCall,
        call_responses.CallChanged,
        refusals=(
            (403, "the caller is not a participant, or not the owner of the group call"),
            _UNKNOWN,
            (409, "the caller is not in the call, or it is over"),
        ),
        guide="G:1599",
    ),
    Route(
        "calls",
        "listCalls",
        "GET",
        "/api/calls",
        "List the caller's calls, newest first.",
        call_requests.ListCalls,
        call_responses.CallPage,
        query=True,
    ),
    Route(
        "calls",
        "getCall",
        "GET",
        "/api/calls/{sessionId}",
        "Read one call, for example after a reconnect.",
        requests.EmptyRequest,
        call_responses.CallAnswer,
        query=True,
        refusals=(_NOT_YOURS, _UNKNOWN),
    ),
)
