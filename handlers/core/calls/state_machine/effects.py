"""The effect of each rule of the state machine: the call afterwards, and the notifications."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from contract import limits
from contract.calls.models import CallStatus, EndReason
from handlers.core.calls.commands import CallCommand, Notification
from handlers.core.calls.state import CallState, Participant


class Effect(msgspec.Struct, frozen=True):
    """The call afterwards, without its new version, and the notifications in the order in which they are published."""

    after: CallState
    notifications: tuple[Notification, ...] = ()


NO_CALL: Final = CallState(
    session_id="",
    version=0,
    status="RINGING",
    call_type="DIRECT",
    media_type="AUDIO",
    initiated_by="",
    owner_id="",
    participants={},
    created_at=0,
    rings_until=0,
)
"""The argument of `start`, which creates a call."""


def due_at(call: CallState, now: int) -> int | None:
    """Return when the sweep should examine a call; None where nothing will be left to do.

    Args:
        now: milliseconds since the epoch.
    """
    overdue = call.rings_until + limits.RING_GRACE_SECONDS * 1000
    if call.status == "RINGING":
        return overdue
    if call.status == "ACTIVE":
        check = now + limits.CALL_CHECK_SECONDS * 1000
        return min(check, max(overdue, now)) if call.with_status("RINGING") else check
    if call.meeting_id is not None:
        return now + limits.RING_GRACE_SECONDS * 1000
    if call.meeting_announced_at is not None:
        return call.meeting_announced_at + limits.MEETING_SETTLE_SECONDS * 1000
    return None


def start(call: CallState, command: CallCommand) -> Effect:
    """Create the call (T1): the users who are called ring, the caller is in the call and is notified."""
    draft = command.draft
    if draft is None:
        raise ValueError("the command initiate needs a draft of the call")
    called = tuple(user_id for user_id in draft.with_status("RINGING") if user_id not in draft.hidden_from)
    incoming = (Notification(event="INCOMING_CALL", recipients=called),) if called else ()
    return Effect(draft, (*incoming, Notification(event="CALL_RINGING", recipients=(draft.initiated_by,))))


def connect(call: CallState, command: CallCommand) -> Effect:
    """Answer the call (T2): caller and actor are in the meeting, each with that user's own credentials."""
    actor = _actor(command)
    after = replace(
        _joined(call, command, (call.initiated_by, actor)),
        status="ACTIVE",
        started_at=command.now,
        meeting_id=command.meeting_id,
        meeting=command.meeting,
    )
    return Effect(after, (_connected(command, call.initiated_by, actor),))


def join(call: CallState, command: CallCommand) -> Effect:
    """Join a group call (T3): the actor is in the meeting, the others in it are notified."""
    actor = _actor(command)
    others = call.with_status("JOINED")
    joined = Notification(event="PARTICIPANT_JOINED", recipients=others, user_id=actor, mirrored=True)
    return Effect(_joined(call, command, (actor,)), (_connected(command, actor), joined))


def rejoin(call: CallState, command: CallCommand) -> Effect:
    """Record that a participant accepted again on the same device (S5)."""
    actor = _actor(command)
    return Effect(_with(call, {actor: replace(call.participants[actor], accepted_at=command.now)}))


def reject(call: CallState, command: CallCommand) -> Effect:
    """Decline (T4, T4b); a call that was not answered is over when no participant is RINGING any more."""
    actor = _actor(command)
    after = _with(call, {actor: replace(call.participants[actor], status="REJECTED", left_at=command.now)})
    if call.status == "RINGING" and not after.with_status("RINGING"):
        after = _closed(after, command, "REJECTED", "REJECTED")
    rejected = Notification(event="CALL_REJECTED", recipients=(call.owner_id, actor), user_id=actor)
    return Effect(after, (rejected,))


def cancel(call: CallState, command: CallCommand) -> Effect:
    """Cancel the call (T5, T9)."""
    cancelled = Notification(event="CALL_CANCELLED", recipients=_notified(call), user_id=command.actor)
    return Effect(_closed(call, command, "CANCELLED", "CANCELLED"), (cancelled,))


def miss(call: CallState, command: CallCommand) -> Effect:
    """End a call that was not answered in time (T6)."""
    missed = Notification(event="CALL_MISSED", recipients=_notified(call))
    return Effect(_closed(call, command, "MISSED", "MISSED"), (missed,))


def stop_ringing(call: CallState, command: CallCommand) -> Effect:
    """End the ringing of a group call that continues (T6b)."""
    late = call.with_status("RINGING")
    after = _with(call, {user_id: replace(call.participants[user_id], status="MISSED") for user_id in late})
    return Effect(after, (Notification(event="CALL_MISSED", recipients=late),))


def leave(call: CallState, command: CallCommand) -> Effect:
    """Leave the call (T7). A direct call is over; a group call is over when no participant is left in it, and gets a
    new owner when the owner leaves.
    """
    actor = _actor(command)
    after = _with(call, {actor: replace(call.participants[actor], status="LEFT", left_at=command.now)})
    rest = after.with_status("JOINED")
    if call.call_type == "DIRECT" or not rest:
        over = _closed(after, command, "ENDED", "LEFT")
        left = [_left(actor, rest)] if rest else []
        return Effect(over, (*left, _ended(over)))
    owner = (command.successor or _earliest(after, rest)) if actor == call.owner_id else call.owner_id
    new_owner = owner if owner != call.owner_id else None
    return Effect(replace(after, owner_id=owner), (_left(actor, rest, new_owner),))


def end(call: CallState, command: CallCommand) -> Effect:
    """End the call for all participants (T8)."""
    return _over(_closed(call, command, "ENDED", "ENDED"))


def meeting_ended(call: CallState, command: CallCommand) -> Effect:
    """End a call whose meeting Chime has ended (S2)."""
    return _over(_closed(call, command, "ENDED", "MEETING_ENDED"))


def expire(call: CallState, command: CallCommand) -> Effect:
    """End a call that is as old as the longest meeting (S3)."""
    return _over(_closed(call, command, "ENDED", "EXPIRED"))


def announce_meeting(call: CallState, command: CallCommand) -> Effect:
    """Record that a meeting will be requested (S1), so that the call's end finds it even if the accept is killed."""
    return Effect(replace(call, meeting_announced_at=command.now))


def report_failure(call: CallState, command: CallCommand) -> Effect:
    """Report that Chime failed (S4) to the actor and, while the call rings, to the caller. The call does not change."""
    actor = _actor(command)
    recipients = (call.initiated_by, actor) if call.status == "RINGING" else (actor,)
    return Effect(call, (Notification(event="CALL_ERROR", recipients=recipients, user_id=actor),))


def _actor(command: CallCommand) -> str:
    if command.actor is None:
        raise ValueError(f"the command {command.action} needs an actor")
    return command.actor


def _with(call: CallState, changed: Mapping[str, Participant], **fields: Any) -> CallState:
    return replace(call, participants={**call.participants, **changed}, **fields)


def _joined(call: CallState, command: CallCommand, user_ids: tuple[str, ...]) -> CallState:
    """Put participants into the meeting; only the actor's device changes."""
    changed: dict[str, Participant] = {}
    for user_id in user_ids:
        participant = call.participants[user_id]
        attendee = command.attendees.get(user_id)
        changed[user_id] = replace(
            participant,
            status="JOINED",
            joined_at=command.now,
            accepted_at=command.now,
            left_at=None,
            device_id=command.device_id if user_id == command.actor else participant.device_id,
            attendee_id=attendee.AttendeeId if attendee else None,
        )
    return _with(call, changed)


def _closed(call: CallState, command: CallCommand, status: CallStatus, reason: EndReason) -> CallState:
    """Return the call as it ends: later than anything that happened in it, with no participant in it or RINGING."""
    others = (each.left_at or 0 for user_id, each in call.participants.items() if user_id != command.actor)
    ended_at = max(command.now, max(others, default=0) + 1)
    left = {
        user_id: replace(call.participants[user_id], status="LEFT", left_at=ended_at)
        for user_id in call.with_status("JOINED")
    }
    missed = {user_id: replace(call.participants[user_id], status="MISSED") for user_id in call.with_status("RINGING")}
    changed = {**left, **missed}
    return _with(call, changed, status=status, ended_at=ended_at, ended_by=command.actor, end_reason=reason)


def _notified(call: CallState) -> tuple[str, ...]:
    """Return the participants who were notified of the call and have not declined it."""
    return tuple(
        user_id
        for user_id, each in sorted(call.participants.items())
        if each.rung and each.status != "REJECTED" and user_id not in call.hidden_from
    )


def _connected(command: CallCommand, *user_ids: str) -> Notification:
    return Notification(event="CALL_CONNECTED", recipients=user_ids, credentials=command.attendees)


def _left(user_id: str, rest: tuple[str, ...], new_owner: str | None = None) -> Notification:
    return Notification(event="PARTICIPANT_LEFT", recipients=rest, user_id=user_id, new_owner=new_owner, mirrored=True)


def _ended(call: CallState) -> Notification:
    return Notification(event="CALL_ENDED", recipients=_notified(call), user_id=call.ended_by, mirrored=True)


def _over(call: CallState) -> Effect:
    return Effect(call, (_ended(call),))


def _earliest(call: CallState, user_ids: tuple[str, ...]) -> str:
    """Return the one of some participants who joined first."""
    return min(user_ids, key=lambda user_id: (call.participants[user_id].joined_at or 0, user_id))
