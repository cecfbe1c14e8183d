"""The events of calls. Every `data` has `sessionId`, the call's `version` and its `status` after the transition.

An event whose version is below the greatest that a client has received for that call is outdated: the client takes from
it only what no later event named (credentials, a participant's status, who called). Only CALL_CONNECTED has
credentials, and each is published to one user; events on the channel of the call itself have none.
"""

from __future__ import annotations

import msgspec

from contract.calls.models import Attendee, CallStatus, CallType, EndReason, MediaType, MeetingDocument
from contract.requests import ErrorCode


class CallData(msgspec.Struct, kw_only=True):
    """The call, and its version and status after the transition that the event describes."""

    sessionId: str
    version: int
    status: CallStatus


class IncomingCallData(CallData, kw_only=True):
    """`ringsUntil` is the time at which ringing ends: a device that receives the event later does not ring."""

    callerId: str
    callerName: str
    callType: CallType
    mediaType: MediaType
    conversationId: str | None
    participantIds: list[str]
    ringsUntil: str


class IncomingCall(msgspec.Struct, tag="INCOMING_CALL", tag_field="type", kw_only=True):
    """The recipient is called. Not delivered after `ringsUntil`."""

    eventId: str
    timestamp: str
    data: IncomingCallData


class CallRingingData(CallData, kw_only=True):
    """`recipientIds` are the users who are called; `recipientId` is the one of a DIRECT call, else null."""

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
    """The recipient is in the call. Published to that user only."""

    eventId: str
    timestamp: str
    data: CallConnectedData


class ParticipantJoinedData(CallData, kw_only=True):
    """The participant who joined."""

    userId: str


class ParticipantJoined(msgspec.Struct, tag="PARTICIPANT_JOINED", tag_field="type", kw_only=True):
    """A participant joined a group call that was answered before."""

    eventId: str
    timestamp: str
    data: ParticipantJoinedData


class ParticipantLeftData(CallData, kw_only=True):
    """The participant who left; `newOwnerId` is the new owner, where the owner left and the call continues."""

    userId: str
    newOwnerId: str | None


class ParticipantLeft(msgspec.Struct, tag="PARTICIPANT_LEFT", tag_field="type", kw_only=True):
    """A participant left the call."""

    eventId: str
    timestamp: str
    data: ParticipantLeftData


class CallRejectedData(CallData, kw_only=True):
    """The participant who declined; `status` is REJECTED where that ends the call."""

    rejectedBy: str


class CallRejected(msgspec.Struct, tag="CALL_REJECTED", tag_field="type", kw_only=True):
    """A participant declined. Published to the caller (in a group call that was answered, to the owner) and to the
    other devices of the participant who declined.
    """

    eventId: str
    timestamp: str
    data: CallRejectedData


class CallCancelledData(CallData, kw_only=True):
    """The caller, who cancelled the call."""

    cancelledBy: str


class CallCancelled(msgspec.Struct, tag="CALL_CANCELLED", tag_field="type", kw_only=True):
    """The caller cancelled the call before it was answered."""

    eventId: str
    timestamp: str
    data: CallCancelledData


class CallMissed(msgspec.Struct, tag="CALL_MISSED", tag_field="type", kw_only=True):
    """The call was not answered in time; or, with `status` ACTIVE, the recipient did not answer a group call."""

    eventId: str
    timestamp: str
    data: CallData


class CallEndedData(CallData, kw_only=True):
    """`endedBy` is null where the system ended the call; `duration` is in seconds."""

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
    """The call could not be connected; its status does not change: it keeps ringing, and may be answered again."""

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
