"""The requests of the calls routes. The guide's bodies stay valid: `recipientId`, and AUDIO or VIDEO as `callType`.

Identities come from the token and from the stored call; an id in a body that contradicts them is refused with 403.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from contract import limits
from contract.calls.models import MediaType
from contract.requests import ConversationId, Id, Request, TempId

DeviceId = Annotated[
    str, Meta(min_length=1, max_length=limits.DEVICE_ID_CHARACTERS, pattern=r"^[A-Za-z0-9._:-]+(?!\n)$")
]
GivenName = Annotated[str, Meta(max_length=limits.GIVEN_NAME_CHARACTERS)]
ParticipantIds = Annotated[list[Id], Meta(min_length=1, max_length=limits.CALL_PARTICIPANTS_MAX)]


class InitiateCall(Request):
    """Initiate a call: `recipientId` for a DIRECT call, `conversationId` of a group for a GROUP call (to all members,
    or to those in `participantIds`). `callType` may be left out; AUDIO or VIDEO there means DIRECT with that
    `mediaType` (AUDIO when absent). A repeated `tempId` returns the first call. `deviceId` is the calling device.
    `callerName` is ignored: names come from profiles.
    """

    recipientId: Id | None = None
    conversationId: ConversationId | None = None
    participantIds: ParticipantIds | None = None
    callType: Literal["DIRECT", "GROUP", "AUDIO", "VIDEO"] | None = None
    mediaType: MediaType | None = None
    tempId: TempId | None = None
    deviceId: DeviceId | None = None
    initiatedBy: Id | None = None
    callerName: GivenName | None = None


class AcceptCall(Request):
    """Answer a call, join a group call that was answered, or request the user's own credentials again from the same
    device. `callerId` must be the user who initiated the call; `callerName` is ignored.
    """

    sessionId: Id
    deviceId: DeviceId | None = None
    callerId: Id | None = None
    callerName: GivenName | None = None


class RejectCall(Request):
    """Decline a call that rings. `callerId` must be the user who initiated the call."""

    sessionId: Id
    callerId: Id | None = None


class CancelCall(Request):
    """Cancel the user's own call before it is answered."""

    sessionId: Id


class LeaveCall(Request):
    """Leave a call. `newOwnerId` is the new owner of a group call that its owner leaves; without it, the participant
    who joined first becomes the owner.
    """

    sessionId: Id
    newOwnerId: Id | None = None


class EndCall(Request):
    """End a call for all participants."""

    sessionId: Id


class ListCalls(Request):
    """A page of the caller's calls, newest first; a query string. `state` selects calls that ring or are answered
    (`active`) or calls that are over (`history`); such a page may have fewer than `limit` calls although `nextCursor`
    is not null.
    """

    state: Literal["active", "history"] | None = None
    limit: Annotated[int, Meta(ge=1, le=limits.CALLS_PAGE_MAX)] = limits.CALLS_PAGE
    cursor: Annotated[str, Meta(max_length=1024)] | None = None
