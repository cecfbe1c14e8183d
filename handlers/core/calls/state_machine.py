"""The calls' state machine: it follows the table of `contract.calls.transitions`, and nothing else decides.

`decide` is a pure function of a call, what somebody wants of it and when. Whatever no rule allows is T10: a repetition,
which changes nothing and is answered as the first time, or a refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from contract.calls.models import CallStatus
from contract.calls.transitions import RULES, Action, Rule, Standing
from handlers.core.calls import effects, guards
from handlers.core.calls.commands import CallCommand, Duplicate, Rejection, Transition
from handlers.core.calls.state import CallState

_LEAVING: Final = (guards.the_same_attendee, guards.a_fit_successor)

Does = Callable[[CallState, CallCommand], effects.Effect]
Guards = tuple[Callable[[CallState, CallCommand], Rejection | None], ...]

CARRIED_OUT: Final[Mapping[str, tuple[Does, Guards]]] = {
    "T1": (effects.start, ()),
    "T2": (effects.connect, (guards.still_a_member,)),
    "T3": (effects.join, (guards.still_a_member,)),
    "T4": (effects.reject, ()),
    "T4b": (effects.reject, ()),
    "T5": (effects.cancel, ()),
    "T6": (effects.miss, (guards.time_is_up,)),
    "T6b": (effects.miss_late, (guards.time_is_up, guards.somebody_rings)),
    "T7": (effects.leave, _LEAVING),
    "T8": (effects.end, ()),
    "T9": (effects.cancel, ()),
    "S1": (effects.announce, (guards.not_just_announced,)),
    "S2": (effects.meeting_ended, (guards.its_meeting,)),
    "S3": (effects.expire, (guards.too_long,)),
    "S4": (effects.fail, ()),
}
"""What each rule of the table does, and what else must hold for it."""


class Repetition(msgspec.Struct, frozen=True):
    """What counts as the same actor doing the same again (T10, and the harmless half of the live states)."""

    action: Action
    statuses: tuple[CallStatus, ...]
    same: Callable[[CallState, CallCommand], bool]


_ANY: Final[tuple[CallStatus, ...]] = ("RINGING", "ACTIVE", "ENDED", "MISSED", "REJECTED", "CANCELLED")

REPETITIONS: Final[tuple[Repetition, ...]] = (
    Repetition("accept", ("ACTIVE",), guards.joined_on_this_device),
    Repetition("reject", _ANY, guards.has_rejected),
    Repetition("cancel", ("CANCELLED",), guards.ended_it),
    Repetition("end", ("CANCELLED", "ENDED"), guards.ended_it),
    Repetition("leave", ("CANCELLED",), guards.ended_it),
    Repetition("leave", ("ACTIVE", "ENDED"), guards.had_left),
)


def standing(call: CallState | None, user_id: str | None) -> Standing:
    """Return what somebody is to a call.

    Args:
        user_id: None for the system.
    """
    if user_id is None:
        return Standing.SYSTEM
    if call is None:
        return Standing.CALLER
    if not call.takes_part(user_id):
        return Standing.STRANGER
    status = call.participants[user_id].status
    if status != "JOINED":
        return Standing[status]
    if call.status == "RINGING":
        return Standing.CALLER
    return Standing.OWNER if user_id == call.owner_id else Standing.JOINED


def rule_for(call: CallState | None, act: CallCommand) -> Rule | Duplicate | Rejection:
    """Return which rule an act follows, or why it follows none."""
    place = standing(call, act.actor)
    status, call_type = (call.status, call.call_type) if call else (None, "DIRECT")
    if place is Standing.STRANGER:
        return guards.stranger(call, act)
    for rule in RULES:
        if (rule.status, rule.action) != (status, act.action) or call_type not in rule.call_types:
            continue
        if place not in rule.standings:
            continue
        _, conditions = CARRIED_OUT[rule.name]
        refusals = (guard(call, act) for guard in conditions) if call else iter(())
        return next((refusal for refusal in refusals if refusal), rule)
    if call is None:
        return guards.unknown(act)
    for repetition in REPETITIONS:
        if repetition.action == act.action and call.status in repetition.statuses and repetition.same(call, act):
            return Duplicate()
    return guards.out_of_turn(call, act, place)


def apply(rule: Rule, call: CallState | None, act: CallCommand) -> Transition:
    """Return what becomes of a call by a rule that holds for the act."""
    does, _ = CARRIED_OUT[rule.name]
    effect = does(call if call else effects.NO_CALL, act)
    version = call.version + 1 if call else 1
    after = msgspec.structs.replace(effect.after, version=version)
    after = msgspec.structs.replace(after, due_at=effects.due_at(after, act.now))
    return Transition(rule.name, call, after, effect.notices)


def decide(call: CallState | None, act: CallCommand) -> Transition | Duplicate | Rejection:
    """Return what an act does to a call: a move, nothing (a repetition), or why it is refused."""
    rule = rule_for(call, act)
    return apply(rule, call, act) if isinstance(rule, Rule) else rule
