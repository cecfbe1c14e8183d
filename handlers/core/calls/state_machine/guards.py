"""Guards of the state machine: the conditions of a rule besides status and actor, and the messages of rejections."""

from __future__ import annotations

from typing import Final

from contract import limits
from contract.calls.transitions import Action, ActorRole
from handlers.core.calls.commands import CallCommand, Rejection
from handlers.core.calls.state import CallState, Participant

_OVER: Final = "the call is over"


def require_membership(call: CallState, command: CallCommand) -> Rejection | None:
    """Only members of the group join a group call."""
    if call.call_type == "GROUP" and not command.is_member:
        return Rejection("FORBIDDEN", "you are no longer a member of the group")
    return None


def require_ring_time_over(call: CallState, command: CallCommand) -> Rejection | None:
    """Ringing does not end before its time is over."""
    return None if command.now >= call.rings_until else Rejection("CONFLICT", "the ring time is not over")


def require_ringing(call: CallState, command: CallCommand) -> Rejection | None:
    """At least one participant is RINGING."""
    return None if call.with_status("RINGING") else Rejection("CONFLICT", "no participant is ringing any more")


def require_present_attendee(call: CallState, command: CallCommand) -> Rejection | None:
    """An event of Chime about an attendee counts only for the attendee as which the participant is in the call now."""
    if command.attendee_id is None or command.actor is None:
        return None
    participant = call.participants[command.actor]
    if command.attendee_id != participant.attendee_id:
        return Rejection("CONFLICT", "another attendee left")
    present_since = participant.accepted_at or participant.joined_at
    if command.seen_at is not None and present_since is not None and command.seen_at < present_since:
        return Rejection("CONFLICT", "the participant has joined again since")
    return None


def require_valid_successor(call: CallState, command: CallCommand) -> Rejection | None:
    """Only the owner of a group call names a successor, and only another participant who is in the call."""
    if command.successor is None:
        return None
    if call.call_type == "DIRECT":
        return Rejection("INVALID_REQUEST", "a direct call ends when one user leaves: omit newOwnerId", "newOwnerId")
    if command.actor != call.owner_id:
        return Rejection("FORBIDDEN", "only the owner of the call may name a new owner", "newOwnerId")
    if command.successor == command.actor or command.successor not in call.with_status("JOINED"):
        return Rejection("CONFLICT", "newOwnerId must be another participant who is in the call", "newOwnerId")
    return None


def require_no_recent_announcement(call: CallState, command: CallCommand) -> Rejection | None:
    """One announcement covers all accepts within `MEETING_ANNOUNCED_SECONDS`."""
    announced_at = call.meeting_announced_at
    if announced_at is None or command.now - announced_at >= limits.MEETING_ANNOUNCED_SECONDS * 1000:
        return None
    return Rejection("CONFLICT", "a meeting was just announced")


def require_present_meeting(call: CallState, command: CallCommand) -> Rejection | None:
    """The end of a meeting counts only for the call's present meeting."""
    return None if command.meeting_id == call.meeting_id else Rejection("CONFLICT", "another meeting ended")


def require_longest_duration(call: CallState, command: CallCommand) -> Rejection | None:
    """A call expires when it is as old as Chime's longest meeting, and not before."""
    started = call.started_at if call.started_at is not None else call.created_at
    if command.now - started >= limits.CALL_HOURS_MAX * 3_600_000:
        return None
    return Rejection("CONFLICT", "the call has not reached its longest duration")


def require_same_device(call: CallState, command: CallCommand) -> Rejection | None:
    """A participant who is in the call accepts again only on the same device."""
    participant = _actor(call, command)
    if participant is not None and participant.device_id == command.device_id:
        return None
    return Rejection("CONFLICT", "the call was answered on another device")


def has_rejected(call: CallState, command: CallCommand) -> bool:
    """Whether the actor declined the call."""
    participant = _actor(call, command)
    return participant is not None and participant.status == "REJECTED"


def has_ended_call(call: CallState, command: CallCommand) -> bool:
    """Whether the actor cancelled the call or ended it for all participants."""
    return command.actor is not None and call.ended_by == command.actor and call.end_reason in ("CANCELLED", "ENDED")


def has_left(call: CallState, command: CallCommand) -> bool:
    """Whether the actor left by leaving, and not because another participant ended the call."""
    participant = _actor(call, command)
    if participant is None or participant.status != "LEFT":
        return False
    if call.ended_at is None or participant.left_at is None:
        return True
    return participant.left_at < call.ended_at or (call.ended_by == command.actor and call.end_reason == "LEFT")


def _actor(call: CallState, command: CallCommand) -> Participant | None:
    """Return the actor as a participant; None for the system."""
    return None if command.actor is None else call.participants[command.actor]


def reject_unknown_call() -> Rejection:
    """Return the rejection of a command on a call that does not exist."""
    return Rejection("NOT_FOUND", "no such call", "sessionId")


def reject_outsider(call: CallState | None, command: CallCommand) -> Rejection:
    """Return the rejection of a user who is no participant; users who have blocked the caller get NOT_FOUND."""
    if call is None or command.actor in call.hidden_from:
        return reject_unknown_call()
    return Rejection("FORBIDDEN", "you are not a participant of this call")


_MESSAGES: Final[dict[tuple[Action, str], str]] = {
    ("accept", "RINGING"): "the call does not ring for you",
    ("accept", "ACTIVE"): "the call was answered already",
    ("reject", "RINGING"): "the call does not ring for you",
    ("reject", "ACTIVE"): "the call does not ring for you any more",
    ("cancel", "ACTIVE"): "the call was answered already: leave it or end it",
    ("leave", "RINGING"): "you are not in the call: reject it",
    ("leave", "ACTIVE"): "you are not in the call",
    ("end", "RINGING"): "you are not in the call: reject it",
    ("end", "ACTIVE"): "you are not in the call",
}


def reject_not_allowed(call: CallState, command: CallCommand, role: ActorRole) -> Rejection:
    """Return the rejection of a participant's command that no rule allows and that is no duplicate."""
    if command.action == "cancel" and command.actor != call.initiated_by:
        return Rejection("FORBIDDEN", "only the user who initiated the call may cancel it")
    if command.action == "end" and call.status == "ACTIVE" and role is ActorRole.JOINED:
        return Rejection("FORBIDDEN", "only the owner may end a group call: leave it")
    return Rejection("CONFLICT", _MESSAGES.get((command.action, call.status), _OVER))
