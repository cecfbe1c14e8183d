"""What the terminal says about calls, as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from client.state.call import Call
from client.state.updates import CallChanged, CallNews
from contract.calls.models import CallStatus, CallView, ParticipantStatus

Name = Callable[[str], str]
"""Returns how a user is called, `you` for the user."""

_STATUSES: Final[Mapping[ParticipantStatus, str]] = {
    "RINGING": "is being called",
    "JOINED": "in the call",
    "LEFT": "has left",
    "REJECTED": "declined",
    "MISSED": "did not answer",
}
_CALLS: Final[Mapping[CallStatus, str]] = {
    "RINGING": "rings",
    "ACTIVE": "goes on",
    "ENDED": "",
    "MISSED": "missed",
    "REJECTED": "declined",
    "CANCELLED": "taken back",
}


def change_line(change: CallChanged, me: str, name: Name) -> str:
    """Return a change of a call as one sentence.

    Args:
        me: the user's id.
        name: how others are called.
    """
    line = _sentence(change, me, name)
    return line[:1].upper() + line[1:]


def _sentence(change: CallChanged, me: str, name: Name) -> str:
    call = change.call
    caller = _name(call, call.caller_id, name)
    who = _name(call, change.user_id, name) if change.user_id else ""
    match change.news:
        case CallNews.RINGS:
            group = " to a group" if call.call_type == "GROUP" else ""
            return f"{caller} is calling{group} ({call.media_type.lower()}). /accept or /reject."
        case CallNews.RINGING:
            return f"It rings at {_others(call, me, name)}. /cancel takes the call back."
        case CallNews.CONNECTED:
            return f"Connected with {_others(call, me, name, 'JOINED')}. /hangup leaves, /who tells who is in the call."
        case CallNews.ELSEWHERE:
            return "Answered on another device."
        case CallNews.JOINED:
            return f"{who} joined the call."
        case CallNews.LEFT:
            return f"{who} left the call."
        case CallNews.OWNED:
            return "The call is yours now: /end ends it for everybody."
        case CallNews.REJECTED:
            return f"{who} declined." if who else "Nobody took the call."
        case CallNews.CANCELLED:
            return f"{who or caller} took the call back."
        case CallNews.MISSED:
            return "Nobody answered." if call.caller_id == me else f"Missed a call from {caller}."
        case CallNews.ENDED:
            return f"The call is over ({duration(call.duration)})."
        case CallNews.FAILED:
            return f"The call could not be connected: {change.problem}."


def participant_lines(view: CallView, me: str) -> list[str]:
    """Return who is in a call, one line each."""
    return [
        f"{'you' if each.userId == me else each.name}{' (owner)' if each.userId == view.ownerId else ''}: "
        f"{_STATUSES[each.status]}"
        for each in view.participants
    ]


def history_line(view: CallView, me: str) -> str:
    """Return one call of the list."""
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


def _name(call: Call, user_id: str, name: Name) -> str:
    known = name(user_id)
    return call.names.get(user_id, known) if known == user_id[:8] else known


def _others(call: Call, me: str, name: Name, status: ParticipantStatus | None = None) -> str:
    found = [user for user, each in call.statuses.items() if user != me and status in (None, each)]
    return ", ".join(_name(call, user, name) for user in found) or "nobody yet"
