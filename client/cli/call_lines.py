"""The lines that the terminal shows about calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from client.state.call_state import CallState
from client.state.updates import CallChanged, CallChangeKind
from contract.calls.models import CallStatus, CallView, ParticipantStatus

Name = Callable[[str], str]
"""Returns a user's name, `you` for the signed-in user."""

_STATUSES: Final[Mapping[ParticipantStatus, str]] = {
    "RINGING": "ringing",
    "JOINED": "in the call",
    "LEFT": "left",
    "REJECTED": "declined",
    "MISSED": "did not answer",
}
_CALLS: Final[Mapping[CallStatus, str]] = {
    "RINGING": "ringing",
    "ACTIVE": "active",
    "ENDED": "",
    "MISSED": "missed",
    "REJECTED": "declined",
    "CANCELLED": "cancelled",
}


def change_line(change: CallChanged, me: str, name: Name) -> str:
    """Return a change of a call as one sentence.

    Args:
        me: the user's id.
        name: returns a user's name.
    """
    line = _sentence(change, me, name)
    return line[:1].upper() + line[1:]


def _sentence(change: CallChanged, me: str, name: Name) -> str:
    call = change.call
    caller = _name(call, call.caller_id, name)
    actor = _name(call, change.user_id, name) if change.user_id else ""
    match change.kind:
        case CallChangeKind.INCOMING:
            group = " to a group" if call.call_type == "GROUP" else ""
            return f"{caller} is calling{group} ({call.media_type.lower()}). /accept or /reject."
        case CallChangeKind.RINGING:
            return f"It rings at {_others(call, me, name)}. /cancel cancels the call."
        case CallChangeKind.CONNECTED:
            return f"Connected with {_others(call, me, name, 'JOINED')}. /hangup leaves, /who lists the participants."
        case CallChangeKind.ANSWERED_ELSEWHERE:
            return "Answered on another device."
        case CallChangeKind.JOINED:
            return f"{actor} joined the call."
        case CallChangeKind.LEFT:
            return f"{actor} left the call."
        case CallChangeKind.OWNERSHIP_RECEIVED:
            return "You own the call now: /end ends it for all participants."
        case CallChangeKind.REJECTED:
            return f"{actor} declined." if actor else "All recipients declined."
        case CallChangeKind.CANCELLED:
            return f"{actor or caller} cancelled the call."
        case CallChangeKind.MISSED:
            return "The call was not answered." if call.caller_id == me else f"Missed a call from {caller}."
        case CallChangeKind.ENDED:
            return f"The call is over ({duration(call.duration)})."
        case CallChangeKind.FAILED:
            return f"The call could not be connected: {change.problem}."


def participant_lines(view: CallView, me: str) -> list[str]:
    """Return the participants of a call, one line each."""
    return [
        f"{'you' if each.userId == me else each.name}{' (owner)' if each.userId == view.ownerId else ''}: "
        f"{_STATUSES[each.status]}"
        for each in view.participants
    ]


def history_line(view: CallView, me: str) -> str:
    """Return one call of the list as one line."""
    time = datetime.fromisoformat(view.createdAt).astimezone()
    others = [each.name for each in view.participants if each.userId != me]
    arrow = "→" if view.initiatedBy == me else "←"
    outcome = _CALLS[view.status] or duration(view.duration)
    return f"{time:%d.%m. %H:%M} {arrow} {', '.join(others)} ({view.mediaType.lower()}): {outcome}"


def duration(seconds: int | None) -> str:
    """Return a duration as m:ss or h:mm:ss."""
    minutes, rest = divmod(seconds or 0, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _name(call: CallState, user_id: str, name: Name) -> str:
    known = name(user_id)
    return call.names.get(user_id, known) if known == user_id[:8] else known


def _others(call: CallState, me: str, name: Name, status: ParticipantStatus | None = None) -> str:
    found = [user for user, each in call.statuses.items() if user != me and status in (None, each)]
    return ", ".join(_name(call, user, name) for user in found) or "no participant yet"
