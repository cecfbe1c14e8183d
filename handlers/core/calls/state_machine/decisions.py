"""The state machine of calls: it follows the table in `contract.calls.transitions`.

`decide` is a pure function of a call and a command. A command that no rule allows is T10: a duplicate, which changes
nothing and gets the same answer as the first time, or a rejection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from contract.calls.models import CallStatus
from contract.calls.transitions import RULES, Action, ActorRole, Rule, RuleName
from handlers.core.calls.commands import CallCommand, Duplicate, Rejection, Transition
from handlers.core.calls.state import CallState
from handlers.core.calls.state_machine import effects, guards

ApplyEffect = Callable[[CallState, CallCommand], effects.Effect]
Guards = tuple[Callable[[CallState, CallCommand], Rejection | None], ...]

_LEAVE_GUARDS: Final[Guards] = (guards.require_present_attendee, guards.require_valid_successor)

IMPLEMENTATION: Final[Mapping[RuleName, tuple[ApplyEffect, Guards]]] = {
    "initiate": (effects.start, ()),
    "answer": (effects.connect, (guards.require_membership,)),
    "join": (effects.join, (guards.require_membership,)),
    "rejoin": (effects.rejoin, (guards.require_same_device, guards.require_membership)),
    "reject": (effects.reject, ()),
    "reject_ongoing": (effects.reject, ()),
    "cancel": (effects.cancel, ()),
    "hang_up": (effects.cancel, ()),
    "ring_timeout": (effects.miss, (guards.require_ring_time_over,)),
    "ring_timeout_ongoing": (effects.stop_ringing, (guards.require_ring_time_over, guards.require_ringing)),
    "leave": (effects.leave, _LEAVE_GUARDS),
    "end": (effects.end, ()),
    "announce_meeting": (effects.announce_meeting, (guards.require_no_recent_announcement,)),
    "meeting_ended": (effects.meeting_ended, (guards.require_present_meeting,)),
    "expire": (effects.expire, (guards.require_longest_duration,)),
    "meeting_failed": (effects.report_failure, ()),
}
"""The effect of each rule of the table, and its conditions besides status, action and actor."""


class DuplicateRule(msgspec.Struct, frozen=True):
    """A command that changes nothing because the same actor did the same before (T10)."""

    action: Action
    statuses: tuple[CallStatus, ...]
    applies: Callable[[CallState, CallCommand], bool]


_ANY: Final[tuple[CallStatus, ...]] = ("RINGING", "ACTIVE", "ENDED", "MISSED", "REJECTED", "CANCELLED")

DUPLICATES: Final[tuple[DuplicateRule, ...]] = (
    DuplicateRule("reject", _ANY, guards.has_rejected),
    DuplicateRule("cancel", ("CANCELLED",), guards.has_ended_call),
    DuplicateRule("end", ("CANCELLED", "ENDED"), guards.has_ended_call),
    DuplicateRule("leave", ("CANCELLED",), guards.has_ended_call),
    DuplicateRule("leave", ("ACTIVE", "ENDED"), guards.has_left),
)


def actor_role(call: CallState | None, user_id: str | None) -> ActorRole:
    """Return the relation of an actor to a call.

    Args:
        user_id: None for the system.
    """
    if user_id is None:
        return ActorRole.SYSTEM
    if call is None:
        return ActorRole.CALLER
    if not call.is_visible_to(user_id):
        return ActorRole.OUTSIDER
    status = call.participants[user_id].status
    if status != "JOINED":
        return ActorRole[status]
    if call.status == "RINGING":
        return ActorRole.CALLER
    return ActorRole.OWNER if user_id == call.owner_id else ActorRole.JOINED


def find_rule(call: CallState | None, command: CallCommand) -> Rule | Duplicate | Rejection:
    """Return the rule that allows a command, or why none does."""
    role = actor_role(call, command.actor)
    status, call_type = (call.status, call.call_type) if call else (None, "DIRECT")
    if role is ActorRole.OUTSIDER:
        return guards.reject_outsider(call, command)
    for rule in RULES:
        if (rule.status, rule.action) != (status, command.action) or call_type not in rule.call_types:
            continue
        if role not in rule.actors:
            continue
        _, conditions = IMPLEMENTATION[rule.name]
        rejections = (guard(call, command) for guard in conditions) if call else iter(())
        return next((rejection for rejection in rejections if rejection), rule)
    if call is None:
        return guards.reject_unknown_call()
    for duplicate in DUPLICATES:
        if (
            duplicate.action == command.action
            and call.status in duplicate.statuses
            and duplicate.applies(call, command)
        ):
            return Duplicate()
    return guards.reject_not_allowed(call, command, role)


def apply_rule(rule: Rule, call: CallState | None, command: CallCommand) -> Transition:
    """Return the transition of a call by a rule that allows the command.

    A rule that users do not notice does not postpone the sweep's next examination of the call.
    """
    apply_effect, _ = IMPLEMENTATION[rule.name]
    effect = apply_effect(call if call else effects.NO_CALL, command)
    version = call.version + 1 if call else 1
    after = msgspec.structs.replace(effect.after, version=version)
    due_at = effects.due_at(after, command.now)
    if rule.outcome is None and call is not None and call.due_at is not None:
        due_at = call.due_at
    after = msgspec.structs.replace(after, due_at=due_at)
    return Transition(rule, call, after, effect.notifications)


def decide(call: CallState | None, command: CallCommand) -> Transition | Duplicate | Rejection:
    """Return the transition that a command causes, or why it causes none."""
    rule = find_rule(call, command)
    return apply_rule(rule, call, command) if isinstance(rule, Rule) else rule
