"""The routes of calls. A request that comes too late gets 409, with the call as it is now in the response's `call`."""

from __future__ import annotations

from typing import Final

from contract import requests
from contract.calls import requests as call_requests
from contract.calls import responses as call_responses
from contract.limits import CALL_RATE
from contract.route import Route

_NOT_A_PARTICIPANT: Final = (403, "the caller is not a participant of the call")
_UNKNOWN: Final = (404, "no such call")
_WRONG_CALLER: Final = (
    403,
    "the caller is not a participant of the call, or callerId is not the user who initiated it",
)

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
            (403, "initiatedBy is another user, the caller has blocked the recipient, or is not a member of the group"),
            (404, "no such user or conversation"),
            (409, "the caller is in another call, or all users to be called are"),
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
        "Answer a call, or join a group call that was answered; returns the caller's own credentials.",
        call_requests.AcceptCall,
        call_responses.CallAccepted,
        refusals=(
            (403, "the caller is not a participant, is no longer in the group, or callerId did not initiate the call"),
            _UNKNOWN,
            (409, "the call is over, was answered by another device, or the caller is in another call"),
            (503, "the meeting could not be created; the call keeps ringing"),
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
        refusals=(_WRONG_CALLER, _UNKNOWN, (409, "the call does not ring for the caller (any more)")),
        guide="G:1558",
    ),
    Route(
        "calls",
        "cancelCall",
        "POST",
        "/api/calls/cancel",
        "Cancel a call before it is answered.",
        call_requests.CancelCall,
        call_responses.CallChanged,
        refusals=((403, "another user initiated the call"), _UNKNOWN, (409, "the call does not ring any more")),
    ),
    Route(
        "calls",
        "leaveCall",
        "POST",
        "/api/calls/leave",
        "Leave a call; a direct call ends, a group call continues while at least one participant is in it.",
        call_requests.LeaveCall,
        call_responses.CallLeft,
        refusals=(
            (403, "the caller is not a participant, or sends newOwnerId without being the owner"),
            _UNKNOWN,
            (409, "the caller is not in the call, it is over, or newOwnerId is not in it"),
        ),
        guide="G:1641",
    ),
    Route(
        "calls",
        "endCall",
        "POST",
        "/api/calls/end",
        "End a call for all participants: either user of a direct call, the owner of a group call.",
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
        refusals=(_NOT_A_PARTICIPANT, _UNKNOWN),
    ),
)
