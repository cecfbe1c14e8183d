"""The conditions of the calls' state machine: what a rule needs besides status and standing, and why it is refused."""

from __future__ import annotations

from typing import Final

from contract import limits
from contract.calls.transitions import Action, Standing
from handlers.core.calls.commands import CallCommand, Rejection
from handlers.core.calls.state import CallState, Participant

_OVER: Final = "the call is over"


def still_a_member(call: CallState, act: CallCommand) -> Rejection | None:
    """A group call is for the group: whoever is no longer in it may not join."""
    if call.call_type == "GROUP" and not act.is_member:
        return Rejection("FORBIDDEN", "you are no longer a member of the group")
    return None


def time_is_up(call: CallState, act: CallCommand) -> Rejection | None:
    """Ringing ends at its time and not before."""
    return None if act.now >= call.rings_until else Rejection("CONFLICT", "the call may ring on")


def somebody_rings(call: CallState, act: CallCommand) -> Rejection | None:
    """Somebody must still be called."""
    return None if call.having("RINGING") else Rejection("CONFLICT", "nobody is called any more")


def the_same_attendee(call: CallState, act: CallCommand) -> Rejection | None:
    """Chime's word that an attendee left counts only for the attendee as which the participant is in the call now."""
    if act.attendee_id is None or act.actor is None:
        return None
    participant = call.participants[act.actor]
    if act.attendee_id != participant.attendee_id:
        return Rejection("CONFLICT", "another attendee left")
    if act.seen_at is not None and participant.joined_at is not None and act.seen_at < participant.joined_at:
        return Rejection("CONFLICT", "the participant has joined again since")
    return None


def a_fit_successor(call: CallState, act: CallCommand) -> Rejection | None:
    """Only a group call's owner names a successor, and only somebody else who is in the call."""
    if act.successor is None:
        return None
    if call.call_type == "DIRECT":
        return Rejection("INVALID_REQUEST", "a direct call ends when one leaves: it has no new owner", "newOwnerId")
    if act.actor != call.owner_id:
        return Rejection("FORBIDDEN", "only the owner of the call names a successor", "newOwnerId")
    if act.successor == act.actor or act.successor not in call.having("JOINED"):
        return Rejection("CONFLICT", "the successor must be somebody else who is in the call", "newOwnerId")
    return None


def not_just_announced(call: CallState, act: CallCommand) -> Rejection | None:
    """One announcement serves all who accept within moments of each other."""
    if call.asked_at is None or act.now - call.asked_at >= limits.MEETING_ANNOUNCED_SECONDS * 1000:
        return None
    return Rejection("CONFLICT", "a meeting was just announced")


def its_meeting(call: CallState, act: CallCommand) -> Rejection | None:
    """Chime's word counts only for the meeting that the call has now."""
    return None if act.meeting_id == call.meeting_id else Rejection("CONFLICT", "another meeting ended")


def too_long(call: CallState, act: CallCommand) -> Rejection | None:
    """No call outlives Chime's longest meeting."""
    started = call.started_at if call.started_at is not None else call.created_at
    if act.now - started >= limits.CALL_HOURS_MAX * 3_600_000:
        return None
    return Rejection("CONFLICT", "the call may go on")


def joined_on_this_device(call: CallState, act: CallCommand) -> bool:
    """Whether the actor is in the call with the device that asks."""
    participant = _own(call, act)
    return participant is not None and participant.status == "JOINED" and participant.device_id == act.device_id


def has_rejected(call: CallState, act: CallCommand) -> bool:
    """Whether the actor declined the call."""
    participant = _own(call, act)
    return participant is not None and participant.status == "REJECTED"


def ended_it(call: CallState, act: CallCommand) -> bool:
    """Whether the actor took the call back or ended it for everybody."""
    return act.actor is not None and call.ended_by == act.actor and call.end_reason in ("CANCELLED", "ENDED")


def had_left(call: CallState, act: CallCommand) -> bool:
    """Whether the actor left by leaving, and not because somebody else ended the call."""
    participant = _own(call, act)
    if participant is None or participant.status != "LEFT":
        return False
    if call.ended_at is None or participant.left_at is None:
        return True
    return participant.left_at < call.ended_at or (call.ended_by == act.actor and call.end_reason == "LEFT")


def _own(call: CallState, act: CallCommand) -> Participant | None:
    """Return the actor as a participant; None for the system."""
    return None if act.actor is None else call.participants[act.actor]


def unknown(act: CallCommand) -> Rejection:
    """There is no such call."""
    return Rejection("NOT_FOUND", "no such call", "sessionId")


def stranger(call: CallState | None, act: CallCommand) -> Rejection:
    """Whoever must not learn of the call is told that there is none; everybody else, that it is not theirs."""
    if call is None or act.actor in call.hidden_from:
        return unknown(act)
    return Rejection("FORBIDDEN", "you are not a participant of this call")


_MESSAGES: Final[dict[tuple[Action, str], str]] = {
    ("accept", "RINGING"): "nobody calls you in this call",
    ("accept", "ACTIVE"): "the call was answered already",
    ("reject", "RINGING"): "the call does not ring for you",
    ("reject", "ACTIVE"): "the call does not ring for you any more",
    ("cancel", "ACTIVE"): "the call was answered already: leave it or end it",
    ("leave", "RINGING"): "you are not in the call: reject it",
    ("leave", "ACTIVE"): "you are not in the call",
    ("end", "RINGING"): "you are not in the call: reject it",
    ("end", "ACTIVE"): "you are not in the call",
}


def out_of_turn(call: CallState, act: CallCommand, standing: Standing) -> Rejection:
    """Return why a participant may not do what no rule allows and what is no repetition."""
    if act.action == "cancel" and act.actor != call.initiated_by:
        return Rejection("FORBIDDEN", "only who called may take the call back")
    if act.action == "end" and call.status == "ACTIVE" and standing is Standing.JOINED:
        return Rejection("FORBIDDEN", "only the owner may end a group call: leave it")
    if act.action == "accept" and call.status == "ACTIVE" and standing in (Standing.JOINED, Standing.OWNER):
        return Rejection("CONFLICT", "the call was answered on another device")
    return Rejection("CONFLICT", _MESSAGES.get((act.action, call.status), _OVER))
