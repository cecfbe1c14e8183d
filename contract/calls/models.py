"""Calls as the API returns them and events carry them."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

CallStatus = Literal["RINGING", "ACTIVE", "ENDED", "MISSED", "REJECTED", "CANCELLED"]
ParticipantStatus = Literal["RINGING", "JOINED", "LEFT", "REJECTED", "MISSED"]
CallType = Literal["DIRECT", "GROUP"]
MediaType = Literal["AUDIO", "VIDEO"]
EndReason = Literal["ENDED", "LEFT", "CANCELLED", "MISSED", "REJECTED", "MEETING_ENDED", "EXPIRED"]
MeetingDocument = dict[str, Any]
"""Chime's meeting object, passed through unchanged because the Chime client needs all of it. It has no token."""


class CallParticipant(msgspec.Struct, kw_only=True):
    """One participant. `deviceId` is the device that is in the call; only its own user sees it."""

    userId: str
    name: str
    status: ParticipantStatus
    joinedAt: str | None = None
    leftAt: str | None = None
    deviceId: str | None = None


class CallView(msgspec.Struct, kw_only=True):
    """A call as one participant sees it, without tokens. `version` grows with each transition: of two views, or of a
    view and an event, the one with the greater version is newer. `duration` is in seconds, from the first answer to
    the end. `endedBy` is null where the system ended the call (ring timeout, Chime, the longest duration).
    """

    sessionId: str
    version: int
    status: CallStatus
    callType: CallType
    mediaType: MediaType
    initiatedBy: str
    ownerId: str
    participants: list[CallParticipant]
    createdAt: str
    ringsUntil: str
    conversationId: str | None = None
    startedAt: str | None = None
    endedAt: str | None = None
    endedBy: str | None = None
    endReason: EndReason | None = None
    duration: int | None = None


class Attendee(msgspec.Struct, kw_only=True):
    """One user's credentials for the meeting, with Chime's field names; only that user receives them."""

    AttendeeId: str
    ExternalUserId: str
    JoinToken: str
