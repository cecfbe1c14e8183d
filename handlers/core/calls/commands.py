"""Commands on calls, and the decisions of the state machine: a transition, a duplicate or a rejection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from contract.calls.models import Attendee
from contract.calls.transitions import Action, Rule
from contract.requests import ErrorCode
from handlers.core.calls.state import CallState

EventType = Literal[
    "INCOMING_CALL",
    "CALL_RINGING",
    "CALL_CONNECTED",
    "PARTICIPANT_JOINED",
    "PARTICIPANT_LEFT",
    "CALL_REJECTED",
    "CALL_CANCELLED",
    "CALL_MISSED",
    "CALL_ENDED",
    "CALL_ERROR",
]


class CallCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command on a call.

    Args:
        actor: user id; None for the system.
        now: milliseconds since the epoch.
        draft: the new call, for the action `initiate`.
        device_id: the device that accepts.
        successor: the participant who becomes the owner when the owner leaves.
        is_member: whether the actor is (still) in the group of a GROUP call.
        meeting_id, meeting: the meeting that was created for the call, and its meeting object as JSON text.
        attendees: the credentials that were created for the call, by user id.
        attendee_id, seen_at: the attendee that left the meeting, and when (milliseconds since the epoch).
    """

    action: Action
    actor: str | None
    now: int
    draft: CallState | None = None
    device_id: str | None = None
    successor: str | None = None
    is_member: bool = True
    meeting_id: str | None = None
    meeting: str | None = None
    attendees: Mapping[str, Attendee] = msgspec.field(default_factory=dict)
    attendee_id: str | None = None
    seen_at: int | None = None


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a transition causes, with its recipients.

    Args:
        event: type of the event.
        recipients: user ids, each only once.
        user_id: the user whose action the event describes; None for the system.
        new_owner: the new owner of the call, where that changed.
        credentials: by user id; only for CALL_CONNECTED, which each recipient gets with that user's own credentials.
        mirrored: whether the event is also published to the channel of the call.
    """

    event: EventType
    recipients: tuple[str, ...]
    user_id: str | None = None
    new_owner: str | None = None
    credentials: Mapping[str, Attendee] = msgspec.field(default_factory=dict)
    mirrored: bool = False


class Transition(msgspec.Struct, frozen=True):
    """A change of a call that a rule allows; `before` is None for a new call."""

    rule: Rule
    before: CallState | None
    after: CallState
    notifications: tuple[Notification, ...]


class Duplicate(msgspec.Struct, frozen=True):
    """The same actor did the same before: nothing changes, and the answer is the same."""


class Rejection(msgspec.Struct, frozen=True):
    """The command is not allowed; `code` is FORBIDDEN, NOT_FOUND, CONFLICT or INVALID_REQUEST."""

    code: ErrorCode
    message: str
    field: str | None = None
