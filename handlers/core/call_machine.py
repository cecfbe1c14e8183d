"""The calls' state machine: one table of transitions, and nothing decided anywhere else.

`decide` is a pure function of a call, what somebody wants of it and when. T1 to T10 are the specification's
transitions; the S rules are the system's own. Whatever no rule allows is T10: a repetition, which changes nothing
and is answered as the first time, or a refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from handlers.core import call_effects as effects
from handlers.core import call_guards as guards
from handlers.core.call_acts import Act, Action, Move, Refusal, Repeat, Standing
from handlers.core.call_state import CallState
from handlers.core.contract.call_models import CallStatus, CallType

_BOTH: Final[tuple[CallType, ...]] = ("DIRECT", "GROUP")
_GROUP: Final[tuple[CallType, ...]] = ("GROUP",)
_DIRECT: Final[tuple[CallType, ...]] = ("DIRECT",)
_IN_IT: Final = frozenset({Standing.OWNER, Standing.JOINED})


class Rule(msgspec.Struct, frozen=True):
    """One transition.

    Args:
        name: T1 to T9 as in the specification, S1 to S4 for the system's own.
        status: the call's status before; None where there is no call yet.
        action: what is asked for.
        call_types: which calls it holds for.
        standings: who may ask for it.
        effect: what then becomes of the call, and who is told what.
        to: the statuses that the call may have afterwards, for the documents and for the tests.
        guards: what else must hold; each returns why not.
    """

    name: str
    status: CallStatus | None
    action: Action
    call_types: tuple[CallType, ...]
    standings: frozenset[Standing]
    effect: Callable[[CallState, Act], effects.Effect]
    to: tuple[CallStatus, ...]
    guards: tuple[Callable[[CallState, Act], Refusal | None], ...] = ()


def _who(*standings: Standing) -> frozenset[Standing]:
    return frozenset(standings)


_CALLER, _SYSTEM, _RINGING = _who(Standing.CALLER), _who(Standing.SYSTEM), _who(Standing.RINGING)
_LATE: Final = _who(Standing.RINGING, Standing.LEFT, Standing.MISSED)
_LEAVING: Final = (guards.the_same_attendee, guards.a_fit_successor)

RULES: Final[tuple[Rule, ...]] = (
    Rule("T1", None, "initiate", _BOTH, _CALLER, effects.start, ("RINGING",)),
    Rule("T2", "RINGING", "accept", _BOTH, _RINGING, effects.connect, ("ACTIVE",), (guards.still_a_member,)),
    Rule("T3", "ACTIVE", "accept", _GROUP, _LATE, effects.join, ("ACTIVE",), (guards.still_a_member,)),
    Rule("T4", "RINGING", "reject", _BOTH, _RINGING, effects.reject, ("RINGING", "REJECTED")),
    Rule("T4b", "ACTIVE", "reject", _GROUP, _RINGING, effects.reject, ("ACTIVE",)),
    Rule("T5", "RINGING", "cancel", _BOTH, _CALLER, effects.cancel, ("CANCELLED",)),
    Rule("T6", "RINGING", "timeout", _BOTH, _SYSTEM, effects.miss, ("MISSED",), (guards.time_is_up,)),
    Rule("T6b", "ACTIVE", "timeout", _GROUP, _SYSTEM, effects.miss_late, ("ACTIVE",), guards.LATE_RINGERS),
    Rule("T7", "ACTIVE", "leave", _DIRECT, _IN_IT, effects.leave, ("ENDED",), _LEAVING),
    Rule("T7", "ACTIVE", "leave", _GROUP, _IN_IT, effects.leave, ("ACTIVE", "ENDED"), _LEAVING),
    Rule("T8", "ACTIVE", "end", _DIRECT, _IN_IT, effects.end, ("ENDED",)),
    Rule("T8", "ACTIVE", "end", _GROUP, _who(Standing.OWNER), effects.end, ("ENDED",)),
    Rule("T9", "RINGING", "end", _BOTH, _CALLER, effects.cancel, ("CANCELLED",)),
    Rule("T9", "RINGING", "leave", _BOTH, _CALLER, effects.cancel, ("CANCELLED",)),
    Rule("S1", "RINGING", "announce", _BOTH, _RINGING, effects.announce, ("RINGING",), (guards.not_just_announced,)),
    Rule("S2", "ACTIVE", "meeting_ended", _BOTH, _SYSTEM, effects.meeting_ended, ("ENDED",), (guards.its_meeting,)),
    Rule("S3", "ACTIVE", "expire", _BOTH, _SYSTEM, effects.expire, ("ENDED",), (guards.too_long,)),
    Rule("S4", "RINGING", "fail", _BOTH, _RINGING, effects.fail, ("RINGING",)),
    Rule("S4", "ACTIVE", "fail", _BOTH, _LATE | _IN_IT, effects.fail, ("ACTIVE",)),
)


class Repetition(msgspec.Struct, frozen=True):
    """What counts as the same actor doing the same again (T10, and the harmless half of the live states)."""

    action: Action
    statuses: tuple[CallStatus, ...]
    same: Callable[[CallState, Act], bool]


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


def rule_for(call: CallState | None, act: Act) -> Rule | Repeat | Refusal:
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
        refusals = (guard(call, act) for guard in rule.guards) if call else iter(())
        return next((refusal for refusal in refusals if refusal), rule)
    if call is None:
        return guards.unknown(act)
    for repetition in REPETITIONS:
        if repetition.action == act.action and call.status in repetition.statuses and repetition.same(call, act):
            return Repeat()
    return guards.out_of_turn(call, act, place)


def apply(rule: Rule, call: CallState | None, act: Act) -> Move:
    """Return what becomes of a call by a rule that holds for the act."""
    effect = rule.effect(call if call else effects.NO_CALL, act)
    version = call.version + 1 if call else 1
    after = msgspec.structs.replace(effect.after, version=version)
    after = msgspec.structs.replace(after, due_at=effects.due_at(after, act.now))
    return Move(rule.name, call, after, effect.notices)


def decide(call: CallState | None, act: Act) -> Move | Repeat | Refusal:
    """Return what an act does to a call: a move, nothing (a repetition), or why it is refused."""
    rule = rule_for(call, act)
    return apply(rule, call, act) if isinstance(rule, Rule) else rule
