"""The events of calls. Every `data` has `sessionId`, the call's `version` and its `status` after the transition.

A client ignores an event whose version is below the greatest it has seen of that call. Credentials stand in
CALL_CONNECTED alone, which goes to one user; what is mirrored on the call's own channel has none.
"""

from __future__ import annotations

import msgspec

from contract.calls.models import Attendee, CallStatus, CallType, EndReason, MediaType, MeetingDocument
from contract.requests import ErrorCode


class CallData(msgspec.Struct, kw_only=True):
    """Which call, and where it stands after the transition that the event tells of."""

    sessionId: str
    version: int
    status: CallStatus


class IncomingCallData(CallData, kw_only=True):
    """`ringsUntil` is when it stops ringing: a device that gets the event later does not ring."""

    callerId: str
    callerName: str
    callType: CallType
    mediaType: MediaType
    conversationId: str | None
    participantIds: list[str]
    ringsUntil: str


class IncomingCall(msgspec.Struct, tag="INCOMING_CALL", tag_field="type", kw_only=True):
    """The recipient is called. Not delivered any more after `ringsUntil`."""

    eventId: str
    timestamp: str
    data: IncomingCallData


class CallRingingData(CallData, kw_only=True):
    """`recipientIds` are those who are called; `recipientId` is the one of a DIRECT call."""

    recipientId: str | None
    recipientIds: list[str]
    ringsUntil: str


class CallRinging(msgspec.Struct, tag="CALL_RINGING", tag_field="type", kw_only=True):
    """The recipient's own call rings; published after INCOMING_CALL."""

    eventId: str
    timestamp: str
    data: CallRingingData


class CallConnectedData(CallData, kw_only=True):
    """The meeting and, in `attendees`, the recipient's own credentials. `deviceId` names the recipient's device that
    is in the call: another device stops ringing and does not join.
    """

    callType: CallType
    mediaType: MediaType
    conversationId: str | None
    meeting: MeetingDocument
    attendees: dict[str, Attendee]
    deviceId: str | None


class CallConnected(msgspec.Struct, tag="CALL_CONNECTED", tag_field="type", kw_only=True):
    """The recipient is in the call. Goes to nobody else."""

    eventId: str
    timestamp: str
    data: CallConnectedData


class ParticipantJoinedData(CallData, kw_only=True):
    """Who joined."""

    userId: str


class ParticipantJoined(msgspec.Struct, tag="PARTICIPANT_JOINED", tag_field="type", kw_only=True):
    """Somebody joined a group call that goes on."""

    eventId: str
    timestamp: str
    data: ParticipantJoinedData


class ParticipantLeftData(CallData, kw_only=True):
    """Who left; `newOwnerId` is the successor, where the owner left and the call goes on."""

    userId: str
    newOwnerId: str | None


class ParticipantLeft(msgspec.Struct, tag="PARTICIPANT_LEFT", tag_field="type", kw_only=True):
    """Somebody left the call."""

    eventId: str
    timestamp: str
    data: ParticipantLeftData


class CallRejectedData(CallData, kw_only=True):
    """Who declined; `status` is REJECTED where that ends the call."""

    rejectedBy: str


class CallRejected(msgspec.Struct, tag="CALL_REJECTED", tag_field="type", kw_only=True):
    """Somebody declined: told to the caller (the owner of a group call that goes on) and to the devices of the one
    who declined.
    """

    eventId: str
    timestamp: str
    data: CallRejectedData


class CallCancelledData(CallData, kw_only=True):
    """Who took the call back."""

    cancelledBy: str


class CallCancelled(msgspec.Struct, tag="CALL_CANCELLED", tag_field="type", kw_only=True):
    """The caller took the call back before anybody answered."""

    eventId: str
    timestamp: str
    data: CallCancelledData


class CallMissed(msgspec.Struct, tag="CALL_MISSED", tag_field="type", kw_only=True):
    """Nobody answered in time; or the recipient did not, while a group call goes on (`status` is then ACTIVE)."""

    eventId: str
    timestamp: str
    data: CallData


class CallEndedData(CallData, kw_only=True):
    """`endedBy` is null where nobody ended it; `duration` is in seconds."""

    endedBy: str | None
    reason: EndReason
    duration: int


class CallEnded(msgspec.Struct, tag="CALL_ENDED", tag_field="type", kw_only=True):
    """A call that was answered is over."""

    eventId: str
    timestamp: str
    data: CallEndedData


class CallErrorDetail(msgspec.Struct, kw_only=True):
    """`code` is for programs, `message` for people."""

    code: ErrorCode
    message: str


class CallErrorData(CallData, kw_only=True):
    """What went wrong."""

    error: CallErrorDetail


class CallError(msgspec.Struct, tag="CALL_ERROR", tag_field="type", kw_only=True):
    """The call could not be connected; it stays as it is, rings on, and may be answered again."""

    eventId: str
    timestamp: str
    data: CallErrorData


CallEvent = (
    IncomingCall
    | CallRinging
    | CallConnected
    | ParticipantJoined
    | ParticipantLeft
    | CallRejected
    | CallCancelled
    | CallMissed
    | CallEnded
    | CallError
)
