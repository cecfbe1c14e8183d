"""Events and views of one call of the user `me`, as they arrive at a client."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import msgspec

from client.state.inbox_entry import decode
from contract.calls import events as call_events
from contract.calls.models import CallView

ME, OTHER, THIRD = "me", "other", "third"
SESSION = "s"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()
RINGS_UNTIL = "2026-01-01T12:00:45.000Z"
MEETING = {"MeetingId": "m"}
NAMES = {ME: "Me Myself", OTHER: "Grace Hopper", THIRD: "Alan Turing"}
_ids = itertools.count()


def event(kind: str, version: int = 1, status: str = "RINGING", **data: Any) -> call_events.CallEvent:
    """Return an event as decoded from the wire."""
    document = {
        "eventId": f"e{next(_ids)}",
        "type": kind,
        "timestamp": "t",
        "data": {"sessionId": SESSION, "version": version, "status": status, **data},
    }
    decoded = decode(document)
    assert isinstance(decoded, call_events.CallEvent)
    return decoded


def incoming(**changes: Any) -> call_events.CallEvent:
    """Return the event that makes a device ring."""
    data = {
        "callerId": OTHER,
        "callerName": NAMES[OTHER],
        "callType": "DIRECT",
        "mediaType": "AUDIO",
        "conversationId": None,
        "participantIds": [ME],
        "ringsUntil": RINGS_UNTIL,
    }
    return event("INCOMING_CALL", **{**data, **changes})


def connected(device: str | None, version: int = 3) -> call_events.CallEvent:
    """Return the event that this user's device is in the call."""
    attendee = {"AttendeeId": "a", "ExternalUserId": ME, "JoinToken": "secret"}
    return event(
        "CALL_CONNECTED",
        version,
        "ACTIVE",
        callType="DIRECT",
        mediaType="AUDIO",
        conversationId=None,
        meeting=MEETING,
        attendees={ME: attendee},
        deviceId=device,
    )


def view(version: int, status: str, *, caller: str = OTHER, device: str | None = None, **statuses: str) -> CallView:
    """Return a call as the API shows it."""
    given = statuses or {caller: "JOINED", (OTHER if caller == ME else ME): "RINGING"}
    document = {
        "sessionId": SESSION,
        "version": version,
        "status": status,
        "callType": "GROUP" if len(given) > 2 else "DIRECT",
        "mediaType": "AUDIO",
        "initiatedBy": caller,
        "ownerId": caller,
        "participants": [
            {"userId": user, "name": NAMES[user], "status": each, "deviceId": device if user == ME else None}
            for user, each in given.items()
        ],
        "createdAt": "2026-01-01T12:00:00.000Z",
        "ringsUntil": RINGS_UNTIL,
        "duration": 65 if status == "ENDED" else None,
    }
    return msgspec.convert(document, CallView)
