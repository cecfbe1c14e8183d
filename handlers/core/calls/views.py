"""Calls as the API returns them to a participant."""

from __future__ import annotations

from contract.calls.models import CallParticipant, CallView
from handlers.core.calls.state import CallState, Participant
from handlers.core.shared.timestamps import to_iso


def view(call: CallState, viewer: str) -> CallView:
    """Return a call as one participant sees it: the caller first, no credentials, and only the viewer's device.

    Args:
        viewer: user id.
    """
    shown = sorted(call.participants.items(), key=lambda each: (each[0] != call.initiated_by, each[0]))
    return CallView(
        sessionId=call.session_id,
        version=call.version,
        status=call.status,
        callType=call.call_type,
        mediaType=call.media_type,
        initiatedBy=call.initiated_by,
        ownerId=call.owner_id,
        participants=[_participant(user_id, each, viewer) for user_id, each in shown],
        createdAt=to_iso(call.created_at),
        ringsUntil=to_iso(call.rings_until),
        conversationId=call.conversation_id,
        startedAt=_iso(call.started_at),
        endedAt=_iso(call.ended_at),
        endedBy=call.ended_by,
        endReason=call.end_reason,
        duration=call.duration,
    )


def _participant(user_id: str, participant: Participant, viewer: str) -> CallParticipant:
    return CallParticipant(
        userId=user_id,
        name=participant.name,
        status=participant.status,
        joinedAt=_iso(participant.joined_at),
        leftAt=_iso(participant.left_at),
        deviceId=participant.device_id if user_id == viewer else None,
    )


def _iso(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else to_iso(milliseconds)
