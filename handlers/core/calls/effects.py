"""What each rule of the calls' state machine does to a call, and who is told what."""

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
    """The call afterwards, its version aside, and the notices in the order in which they go out."""

    after: CallState
    notices: tuple[Notification, ...] = ()


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
"""What stands for the call before there is one."""


def due_at(call: CallState, now: int) -> int | None:
    """Return when the sweep should look at a call; None where nothing will be left to do.

    Args:
        now: milliseconds since the epoch.
    """
    overdue = call.rings_until + limits.RING_GRACE_SECONDS * 1000
    if call.status == "RINGING":
        return overdue
    if call.status == "ACTIVE":
        check = now + limits.CALL_CHECK_SECONDS * 1000
        return min(check, max(overdue, now)) if call.having("RINGING") else check
    if call.meeting_id is not None:
        return now + limits.RING_GRACE_SECONDS * 1000
    if call.asked_at is not None:
        return call.asked_at + limits.MEETING_SETTLE_SECONDS * 1000
    return None


def start(call: CallState, act: CallCommand) -> Effect:
    """T1: the others are rung, the caller is in the call and is told."""
    draft = act.draft
    if draft is None:
        raise ValueError("a call starts from its draft")
    called = tuple(user_id for user_id in draft.having("RINGING") if user_id not in draft.hidden_from)
    incoming = (Notification(event="INCOMING_CALL", to=called),) if called else ()
    return Effect(draft, (*incoming, Notification(event="CALL_RINGING", to=(draft.initiated_by,))))


def connect(call: CallState, act: CallCommand) -> Effect:
    """T2: the first answer. The caller and who answered are in the meeting, each with credentials of their own."""
    me = _actor(act)
    after = replace(
        _joined(call, act, (call.initiated_by, me)),
        status="ACTIVE",
        started_at=act.now,
        meeting_id=act.meeting_id,
        meeting=act.meeting,
    )
    return Effect(after, (Notification(event="CALL_CONNECTED", to=(call.initiated_by, me)),))


def join(call: CallState, act: CallCommand) -> Effect:
    """T3: one more is in the group call; the others in it are told."""
    me = _actor(act)
    others = call.having("JOINED")
    joined = Notification(event="PARTICIPANT_JOINED", to=others, who=me, mirrored=True)
    return Effect(_joined(call, act, (me,)), (Notification(event="CALL_CONNECTED", to=(me,)), joined))


def reject(call: CallState, act: CallCommand) -> Effect:
    """T4, T4b: one declines; with the last one who rang, a call that nobody answered is over."""
    me = _actor(act)
    after = _with(call, {me: replace(call.participants[me], status="REJECTED", left_at=act.now)})
    if call.status == "RINGING" and not after.having("RINGING"):
        after = _closed(after, act, "REJECTED", "REJECTED")
    return Effect(after, (Notification(event="CALL_REJECTED", to=(call.owner_id, me), who=me),))


def cancel(call: CallState, act: CallCommand) -> Effect:
    """T5, T9: the caller takes the call back."""
    told = Notification(event="CALL_CANCELLED", to=_told(call), who=act.actor)
    return Effect(_closed(call, act, "CANCELLED", "CANCELLED"), (told,))


def miss(call: CallState, act: CallCommand) -> Effect:
    """T6: nobody answered in time."""
    return Effect(_closed(call, act, "MISSED", "MISSED"), (Notification(event="CALL_MISSED", to=_told(call)),))


def miss_late(call: CallState, act: CallCommand) -> Effect:
    """T6b: the group call goes on, and rings for nobody any more."""
    late = call.having("RINGING")
    after = _with(call, {user_id: replace(call.participants[user_id], status="MISSED") for user_id in late})
    return Effect(after, (Notification(event="CALL_MISSED", to=late),))


def leave(call: CallState, act: CallCommand) -> Effect:
    """T7: one leaves. A direct call is over; a group call is, too, when the last one leaves, and has a new owner when
    the owner does.
    """
    me = _actor(act)
    after = _with(call, {me: replace(call.participants[me], status="LEFT", left_at=act.now)})
    rest = after.having("JOINED")
    if call.call_type == "DIRECT" or not rest:
        over = _closed(after, act, "ENDED", "LEFT")
        notices = [Notification(event="PARTICIPANT_LEFT", to=rest, who=me, mirrored=True)] if rest else []
        return Effect(over, (*notices, _ended(over)))
    owner = (act.successor or _earliest(after, rest)) if me == call.owner_id else call.owner_id
    new_owner = owner if owner != call.owner_id else None
    left = Notification(event="PARTICIPANT_LEFT", to=rest, who=me, new_owner=new_owner, mirrored=True)
    return Effect(replace(after, owner_id=owner), (left,))


def end(call: CallState, act: CallCommand) -> Effect:
    """T8: somebody ends the call for everybody."""
    return _over(_closed(call, act, "ENDED", "ENDED"))


def meeting_ended(call: CallState, act: CallCommand) -> Effect:
    """S2: Chime has ended the meeting."""
    return _over(_closed(call, act, "ENDED", "MEETING_ENDED"))


def expire(call: CallState, act: CallCommand) -> Effect:
    """S3: the call has gone on for as long as a meeting can."""
    return _over(_closed(call, act, "ENDED", "EXPIRED"))


def announce(call: CallState, act: CallCommand) -> Effect:
    """S1: a meeting is about to be asked for; should whoever asks die, the call's end knows that there may be one."""
    return Effect(replace(call, asked_at=act.now))


def fail(call: CallState, act: CallCommand) -> Effect:
    """S4: the meeting could not be had. The call stays as it is; the caller, while it rings, and who asked are told."""
    me = _actor(act)
    to = (call.initiated_by, me) if call.status == "RINGING" else (me,)
    return Effect(call, (Notification(event="CALL_ERROR", to=to, who=me),))


def _actor(act: CallCommand) -> str:
    if act.actor is None:
        raise ValueError(f"{act.action} has an actor")
    return act.actor


def _with(call: CallState, changed: Mapping[str, Participant], **fields: Any) -> CallState:
    return replace(call, participants={**call.participants, **changed}, **fields)


def _joined(call: CallState, act: CallCommand, user_ids: tuple[str, ...]) -> CallState:
    """Put participants into the meeting; only the one who acts brings a device along."""
    changed: dict[str, Participant] = {}
    for user_id in user_ids:
        was = call.participants[user_id]
        changed[user_id] = replace(
            was,
            status="JOINED",
            joined_at=act.now,
            left_at=None,
            device_id=act.device_id if user_id == act.actor else was.device_id,
            attendee_id=act.attendee_ids.get(user_id),
        )
    return _with(call, changed)


def _closed(call: CallState, act: CallCommand, status: CallStatus, reason: EndReason) -> CallState:
    """Return the call as it ends: later than anything that happened in it, with nobody in it or called any more."""
    last = max((each.left_at or 0 for user_id, each in call.participants.items() if user_id != act.actor), default=0)
    ended_at = max(act.now, last + 1)
    gone = {user_id: replace(call.participants[user_id], status="LEFT", left_at=ended_at) for user_id in _in(call)}
    missed = {user_id: replace(call.participants[user_id], status="MISSED") for user_id in call.having("RINGING")}
    return _with(call, {**gone, **missed}, status=status, ended_at=ended_at, ended_by=act.actor, end_reason=reason)


def _in(call: CallState) -> tuple[str, ...]:
    return call.having("JOINED")


def _told(call: CallState) -> tuple[str, ...]:
    """Return who was told of the call and has not declined it."""
    return tuple(
        user_id
        for user_id, each in sorted(call.participants.items())
        if each.rung and each.status != "REJECTED" and user_id not in call.hidden_from
    )


def _ended(call: CallState) -> Notification:
    return Notification(event="CALL_ENDED", to=_told(call), who=call.ended_by, mirrored=True)


def _over(call: CallState) -> Effect:
    return Effect(call, (_ended(call),))


def _earliest(call: CallState, user_ids: tuple[str, ...]) -> str:
    """Return who of some participants joined first."""
    return min(user_ids, key=lambda user_id: (call.participants[user_id].joined_at or 0, user_id))
