"""The state machine alone: it decides every command in every state, and every transition follows its rule."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contract.calls.models import Attendee
from contract.calls.transitions import RULES, ActorRole, Rule
from handlers.core.calls.commands import CallCommand, Duplicate, Rejection, Transition
from handlers.core.calls.state import CallState, Participant
from handlers.core.calls.state_machine.decisions import IMPLEMENTATION, actor_role, decide
from tools.generate.call_pages import picture

NOW = 1_790_000_000_000
USERS = ("ana", "ben", "cat", "dan")
ACTIONS = sorted({rule.action for rule in RULES} - {"initiate"})


@st.composite
def calls(draw: st.DrawFn) -> CallState:
    """Return a call in any valid state."""
    call_type = draw(st.sampled_from(("DIRECT", "GROUP")))
    status = draw(st.sampled_from(("RINGING", "ACTIVE", "ENDED", "MISSED", "REJECTED", "CANCELLED")))
    others = USERS[1:2] if call_type == "DIRECT" else USERS[1:]
    allowed = {
        "RINGING": ("RINGING", "REJECTED", "MISSED"),
        "ACTIVE": ("JOINED",) if call_type == "DIRECT" else ("RINGING", "REJECTED", "MISSED", "JOINED", "LEFT"),
    }.get(status, ("REJECTED", "MISSED", "LEFT"))
    statuses = {user_id: draw(st.sampled_from(allowed)) for user_id in others}
    caller = {"RINGING": "JOINED", "ACTIVE": draw(st.sampled_from(("JOINED", "LEFT")))}.get(status, "LEFT")
    if status == "RINGING" and "RINGING" not in statuses.values():
        statuses[others[0]] = "RINGING"
    if call_type == "DIRECT" and status == "ACTIVE":
        caller = "JOINED"
    statuses = {"ana": caller, **statuses}
    joined = [user_id for user_id, each in statuses.items() if each == "JOINED"]
    if status == "ACTIVE" and not joined:
        statuses["ben"], joined = "JOINED", ["ben"]
    over = status not in ("RINGING", "ACTIVE")
    answered = status in ("ACTIVE", "ENDED")
    reasons = {"ENDED": draw(st.sampled_from(("ENDED", "LEFT", "MEETING_ENDED", "EXPIRED")))}
    fields: dict[str, Any] = {
        "session_id": "call",
        "version": draw(st.integers(1, 9)),
        "status": status,
        "call_type": call_type,
        "media_type": "AUDIO",
        "initiated_by": "ana",
        "owner_id": draw(st.sampled_from(joined)) if status == "ACTIVE" else "ana",
        "participants": {
            user_id: Participant(
                status=each,  # type: ignore[arg-type]
                name=user_id,
                joined_at=NOW if each in ("JOINED", "LEFT") else None,
                left_at=NOW + 1 if each in ("LEFT", "REJECTED") else None,
                attendee_id=f"attendee-{user_id}" if answered and each in ("JOINED", "LEFT") else None,
                device_id=draw(st.sampled_from((None, "phone"))),
            )
            for user_id, each in statuses.items()
        },
        "created_at": NOW,
        "rings_until": NOW + 45_000,
        "conversation_id": "group" if call_type == "GROUP" else None,
        "started_at": NOW if answered else None,
        "ended_at": NOW + draw(st.integers(1, 9)) if over else None,
        "ended_by": draw(st.sampled_from((None, *statuses))) if over else None,
        "end_reason": reasons.get(status, status) if over else None,
        "meeting_id": "meeting" if answered else None,
        "meeting": "{}" if answered else None,
        "meeting_announced_at": draw(st.sampled_from((None, NOW))),
    }
    return CallState(**fields)


@st.composite
def commands(draw: st.DrawFn) -> CallCommand:
    """Return any command of any actor."""
    return CallCommand(
        action=draw(st.sampled_from(ACTIONS)),
        actor=draw(st.sampled_from((None, *USERS, "eve"))),
        now=NOW + draw(st.sampled_from((0, 1_000, 45_000, 90_000_000))),
        device_id=draw(st.sampled_from((None, "phone", "laptop"))),
        successor=draw(st.sampled_from((None, *USERS))),
        is_member=draw(st.booleans()),
        meeting_id="meeting",
        meeting="{}",
        attendees={
            user_id: Attendee(AttendeeId=f"attendee-{user_id}", ExternalUserId=user_id, JoinToken="token")
            for user_id in USERS
        },
    )


@given(calls(), commands())
def test_every_command_is_decided_and_every_transition_follows_its_rule(call: CallState, command: CallCommand) -> None:
    decision = decide(call, command)
    if not isinstance(decision, Transition):
        assert isinstance(decision, (Rejection, Duplicate))
        return
    rule, after = decision.rule, decision.after
    assert rule in RULES
    assert (rule.status, rule.action) == (call.status, command.action)
    assert call.call_type in rule.call_types
    assert actor_role(call, command.actor) in rule.actors
    assert after.status in rule.to
    assert after.version == call.version + 1
    assert set(after.participants) == set(call.participants)
    assert (after.initiated_by, after.created_at, after.rings_until) == ("ana", call.created_at, call.rings_until)
    if after.status == "ACTIVE":
        assert after.meeting_id
        assert after.participants[after.owner_id].status == "JOINED"
        assert after.due_at is not None
    if not after.is_live:
        assert not after.with_status("RINGING", "JOINED")
        assert after.ended_at is not None
        assert after.end_reason is not None
        assert after.locked_users() == frozenset()
        assert (after.due_at is not None) == (after.meeting_id is not None or after.meeting_announced_at is not None)
    for notification in decision.notifications:
        assert len(set(notification.recipients)) == len(notification.recipients)
        assert set(notification.recipients) <= set(call.participants)
        assert notification.event in (rule.publishes or "")


@given(calls(), commands())
def test_no_rule_changes_a_call_that_is_over_and_a_repeated_command_is_a_duplicate(
    call: CallState, command: CallCommand
) -> None:
    """Requirement T10; a repeated accept of a live call moves the time of the accept and notifies no one (S5)."""
    decision = decide(call, command)
    if not call.is_live:
        assert not isinstance(decision, Transition)
    if isinstance(decision, Transition) and command.action in ("accept", "reject", "cancel", "end", "leave"):
        again = decide(decision.after, replace(command, successor=None))
        if command.action == "accept":
            assert isinstance(again, Transition)
            assert (again.rule.name, again.notifications) == ("rejoin", ())
        else:
            assert again == Duplicate()


@given(calls(), commands())
def test_commands_of_outsiders_and_of_users_who_blocked_the_caller_are_rejected(
    call: CallState, command: CallCommand
) -> None:
    """Requirement H9."""
    outsider = replace(command, actor="eve")
    assert decide(call, outsider) == Rejection("FORBIDDEN", "you are not a participant of this call")
    hidden = replace(call, hidden_from=frozenset({"ben"}))
    assert decide(hidden, replace(command, actor="ben")) == decide(None, replace(command, actor="ben"))


def test_every_rule_is_implemented_and_nothing_else_is() -> None:
    assert set(IMPLEMENTATION) == {rule.name for rule in RULES}
    assert ActorRole.OUTSIDER not in {role for rule in RULES for role in rule.actors}


def test_no_two_rules_allow_the_same_command() -> None:
    conditions = [
        (rule.status, rule.action, call_type, role)
        for rule in RULES
        for call_type in rule.call_types
        for role in rule.actors
    ]
    assert len(set(conditions)) == len(conditions)


@pytest.mark.parametrize("changes", [{"outcome": None}, {"publishes": None}])
def test_a_rule_has_an_outcome_if_it_publishes_events_and_only_then(changes: dict[str, None]) -> None:
    with pytest.raises(ValueError, match="rule answer: a rule has an outcome"):
        replace(RULES[1], **changes)
    fields = {name: getattr(RULES[1], name) for name in Rule.__struct_fields__ if name != "outcome"}
    with pytest.raises(TypeError, match="outcome"):
        Rule(**fields)


def test_rules_of_one_name_have_one_outcome() -> None:
    for name in IMPLEMENTATION:
        assert len({(rule.outcome, rule.ends_ringing) for rule in RULES if rule.name == name}) == 1


def test_diagram_shows_every_rule_that_changes_the_status() -> None:
    drawn = picture()
    for rule in RULES:
        for target in rule.to:
            if target != rule.status:
                assert re.search(rf"{re.escape(rule.status or '[*]')} --> {target}: .*\b{rule.name}\b", drawn)


REQUIREMENTS = [
    *(f"T{number}" for number in range(1, 11)),
    "T4b",
    "T6b",
    *(f"H{number}" for number in range(1, 32)),
]
"""The transitions and the known defects of the specification."""


@cache
def docstrings_of_tests() -> str:
    """Return the docstrings of all tests of calls."""
    return "\n".join(
        ast.get_docstring(node) or ""
        for path in Path(__file__).parent.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_every_requirement_is_in_the_docstring_of_a_test(requirement: str) -> None:
    assert re.search(rf"\bRequirements? [^.]*\b{requirement}\b", docstrings_of_tests())


def test_initiate_needs_a_draft_and_other_commands_need_a_call() -> None:
    with pytest.raises(ValueError, match="draft"):
        decide(None, CallCommand(action="initiate", actor="ana", now=NOW))
    unknown = decide(None, CallCommand(action="accept", actor="ana", now=NOW))
    assert isinstance(unknown, Rejection)
    assert unknown.code == "NOT_FOUND"
    assert actor_role(None, None) is ActorRole.SYSTEM
