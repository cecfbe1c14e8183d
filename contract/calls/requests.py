"""What the calls routes accept. The guide's bodies stay valid: `recipientId`, and AUDIO or VIDEO as `callType`.

Identities come from the token and from the call's record; an id in a body that contradicts them is refused with 403.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from contract import limits
from contract.calls.models import MediaType
from contract.requests import Id, Request, TempId

DeviceId = Annotated[
    str, Meta(min_length=1, max_length=limits.DEVICE_ID_CHARACTERS, pattern=r"^[A-Za-z0-9._:-]+(?!\n)$")
]
GivenName = Annotated[str, Meta(max_length=limits.GIVEN_NAME_CHARACTERS)]
ParticipantIds = Annotated[list[Id], Meta(min_length=1, max_length=limits.CALL_PARTICIPANTS_MAX)]


class InitiateCall(Request):
    """Call somebody: `recipientId` for a DIRECT call, `conversationId` of a group for a GROUP call (all its members,
    or those in `participantIds`). `callType` may be left out; AUDIO or VIDEO there means DIRECT with that `mediaType`
    (AUDIO when absent). A repeated `tempId` answers with the first call. `deviceId` names the device that calls.
    `callerName` is ignored: names come from profiles.
    """

    recipientId: Id | None = None
    conversationId: Id | None = None
    participantIds: ParticipantIds | None = None
    callType: Literal["DIRECT", "GROUP", "AUDIO", "VIDEO"] | None = None
    mediaType: MediaType | None = None
    tempId: TempId | None = None
    deviceId: DeviceId | None = None
    initiatedBy: Id | None = None
    callerName: GivenName | None = None


class AcceptCall(Request):
    """Answer a call, join a group call that goes on, or ask again for one's own credentials from the same device.
    `callerId` must be the record's; `callerName` is ignored.
    """

    sessionId: Id
    deviceId: DeviceId | None = None
    callerId: Id | None = None
    callerName: GivenName | None = None


class RejectCall(Request):
    """Decline a call that rings. `callerId` must be the record's."""

    sessionId: Id
    callerId: Id | None = None


class CancelCall(Request):
    """Take back one's own call before anybody has answered."""

    sessionId: Id


class LeaveCall(Request):
    """Leave a call. `newOwnerId` names the successor of a group call's owner; without it the server chooses the one
    who joined first.
    """

    sessionId: Id
    newOwnerId: Id | None = None


class EndCall(Request):
    """End a call for everybody."""

    sessionId: Id


class ListCalls(Request):
    """A page of the caller's calls, newest first. Comes as a query string. `state` asks for calls that go on
    (`active`) or are over (`history`) only; such a page may hold fewer than `limit` although `nextCursor` goes on.
    """

    state: Literal["active", "history"] | None = None
    limit: Annotated[int, Meta(ge=1, le=limits.CALLS_PAGE_MAX)] = limits.CALLS_PAGE
    cursor: Annotated[str, Meta(max_length=1024)] | None = None
