"""What somebody wants of a call, and what the state machine answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from contract.calls.transitions import Action
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
    """Somebody wants something of a call.

    Args:
        actor: user id; None for the system.
        now: milliseconds since the epoch.
        draft: a new call, before T1.
        device_id: the device that accepts.
        successor: who shall own the call once its owner has left.
        is_member: whether the actor still is in the group (of a GROUP call).
        meeting_id, meeting: the meeting that was made for it, and its meeting object as JSON text.
        attendee_ids: Chime's attendees that were made for it, by user id.
        attendee_id, seen_at: which attendee left the meeting, and when (milliseconds since the epoch).
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
    attendee_ids: Mapping[str, str] = msgspec.field(default_factory=dict)
    attendee_id: str | None = None
    seen_at: int | None = None


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told what.

    Args:
        event: type of the event.
        to: user ids, each only once.
        who: whom it is about, or who did it; None for the system.
        new_owner: who owns the call now, where that changed.
        mirrored: the call's own channel carries it, too.
    """

    event: EventType
    to: tuple[str, ...]
    who: str | None = None
    new_owner: str | None = None
    mirrored: bool = False


class Transition(msgspec.Struct, frozen=True):
    """A transition: `rule` is its name; `before` is None for a new call."""

    rule: str
    before: CallState | None
    after: CallState
    notices: tuple[Notification, ...]


class Duplicate(msgspec.Struct, frozen=True):
    """It happened already, by the same actor: nothing changes, and the answer is the same."""


class Rejection(msgspec.Struct, frozen=True):
    """It is not allowed; `code` is one of FORBIDDEN, NOT_FOUND, CONFLICT and INVALID_REQUEST."""

    code: ErrorCode
    message: str
    field: str | None = None
