"""The items of the table Calls: ISO dates, absent attributes instead of null, participants with their position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract import canary
from contract.outbox_keys import due_shard
from handlers.core.calls.state import CallState, Participant
from handlers.core.shared.timestamps import from_iso, to_iso


def call_item(state: CallState) -> dict[str, Any]:
    """Return a call's attributes, for `to_item`, which leaves out None."""
    return {
        "sessionId": state.session_id,
        "version": state.version,
        "status": state.status,
        "callType": state.call_type,
        "mediaType": state.media_type,
        "initiatedBy": state.initiated_by,
        "ownerId": state.owner_id,
        "participants": {
            user_id: _participant_item(position, each)
            for position, (user_id, each) in enumerate(state.participants.items())
        },
        "createdAt": to_iso(state.created_at),
        "ringsUntil": to_iso(state.rings_until),
        "conversationId": state.conversation_id,
        "hiddenFrom": state.hidden_from or None,
        "startedAt": _date(state.started_at),
        "endedAt": _date(state.ended_at),
        "endedBy": state.ended_by,
        "endReason": state.end_reason,
        "duration": state.duration,
        "meetingId": state.meeting_id,
        "meeting": state.meeting,
        "meetingAskedAt": _date(state.meeting_announced_at),
        "shard": None if state.due_at is None else due_shard(state.session_id),
        "dueAt": _date(state.due_at),
        "expiresAt": canary.expires_at(state.conversation_id, state.created_at),
    }


def call_state(item: Mapping[str, Any]) -> CallState:
    """Return the call that an item stores."""
    participants = sorted(item["participants"].items(), key=lambda each: each[1]["place"])
    return CallState(
        session_id=item["sessionId"],
        version=item["version"],
        status=item["status"],
        call_type=item["callType"],
        media_type=item["mediaType"],
        initiated_by=item["initiatedBy"],
        owner_id=item["ownerId"],
        participants={user_id: _participant(each) for user_id, each in participants},
        created_at=from_iso(item["createdAt"]),
        rings_until=from_iso(item["ringsUntil"]),
        conversation_id=item.get("conversationId"),
        hidden_from=item.get("hiddenFrom") or frozenset(),
        started_at=_milliseconds(item.get("startedAt")),
        ended_at=_milliseconds(item.get("endedAt")),
        ended_by=item.get("endedBy"),
        end_reason=item.get("endReason"),
        meeting_id=item.get("meetingId"),
        meeting=item.get("meeting"),
        meeting_announced_at=_milliseconds(item.get("meetingAskedAt")),
        due_at=_milliseconds(item.get("dueAt")),
    )


def call_key(state: CallState) -> str:
    """Return a call's sort key in its participants' lists: newest last, and unique."""
    return f"{to_iso(state.created_at)}#{state.session_id}"


def _participant_item(position: int, participant: Participant) -> dict[str, Any]:
    return {
        "place": position,
        "status": participant.status,
        "name": participant.name,
        "rung": participant.rung,
        "joinedAt": _date(participant.joined_at),
        "acceptedAt": _date(participant.accepted_at),
        "leftAt": _date(participant.left_at),
        "deviceId": participant.device_id,
        "attendeeId": participant.attendee_id,
    }


def _participant(item: Mapping[str, Any]) -> Participant:
    return Participant(
        status=item["status"],
        name=item["name"],
        rung=item["rung"],
        joined_at=_milliseconds(item.get("joinedAt")),
        accepted_at=_milliseconds(item.get("acceptedAt")),
        left_at=_milliseconds(item.get("leftAt")),
        device_id=item.get("deviceId"),
        attendee_id=item.get("attendeeId"),
    )


def _date(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else to_iso(milliseconds)


def _milliseconds(date: str | None) -> int | None:
    return None if date is None else from_iso(date)
