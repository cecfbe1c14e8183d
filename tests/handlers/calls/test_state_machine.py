"""The state machine alone: every state, action and standing has an answer, and every rule keeps what it promises."""

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

from contract.calls.transitions import RULES, Standing
from handlers.core.calls import state_machine
from handlers.core.calls.commands import CallCommand, Duplicate, Rejection, Transition
from handlers.core.calls.state import CallState, Participant
from handlers.core.calls.state_machine import CARRIED_OUT, decide, standing
from tools.generate.call_pages import picture

NOW = 1_790_000_000_000
PEOPLE = ("ana", "ben", "cat", "dan")
ACTIONS = sorted({rule.action for rule in RULES} - {"initiate"})


@st.composite
def calls(draw: st.DrawFn) -> CallState:
    """Return a call in a state that calls can be in."""
    call_type = draw(st.sampled_from(("DIRECT", "GROUP")))
    status = draw(st.sampled_from(("RINGING", "ACTIVE", "ENDED", "MISSED", "REJECTED", "CANCELLED")))
    others = PEOPLE[1:2] if call_type == "DIRECT" else PEOPLE[1:]
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
def acts(draw: st.DrawFn) -> CallCommand:
    """Return anything that anybody may want."""
    return CallCommand(
        action=draw(st.sampled_from(ACTIONS)),
        actor=draw(st.sampled_from((None, *PEOPLE, "eve"))),
        now=NOW + draw(st.sampled_from((0, 1_000, 45_000, 90_000_000))),
        device_id=draw(st.sampled_from((None, "phone", "laptop"))),
        successor=draw(st.sampled_from((None, *PEOPLE))),
        is_member=draw(st.booleans()),
        meeting_id="meeting",
        meeting="{}",
        attendee_ids={user_id: f"attendee-{user_id}" for user_id in PEOPLE},
    )


@given(calls(), acts())
def test_whatever_anybody_wants_of_any_call_has_an_answer_and_a_move_keeps_the_call_sound(
    call: CallState, act: CallCommand
) -> None:
    decision = decide(call, act)
    if not isinstance(decision, Transition):
        assert isinstance(decision, (Rejection, Duplicate))
        return
    (rule,) = [
        rule
        for rule in RULES
        if (rule.name, rule.status, rule.action) == (decision.rule, call.status, act.action)
        and call.call_type in rule.call_types
    ]
    after = decision.after
    assert standing(call, act.actor) in rule.standings
    assert after.status in rule.to
    assert after.version == call.version + 1
    assert set(after.participants) == set(call.participants)
    assert (after.initiated_by, after.created_at, after.rings_until) == ("ana", call.created_at, call.rings_until)
    if after.status == "ACTIVE":
        assert after.meeting_id
        assert after.participants[after.owner_id].status == "JOINED"
        assert after.due_at is not None
    if not after.is_live:
        assert not after.having("RINGING", "JOINED")
        assert after.ended_at is not None
        assert after.end_reason is not None
        assert after.locked() == frozenset()
        assert (after.due_at is not None) == (after.meeting_id is not None or after.meeting_announced_at is not None)
    for notice in decision.notices:
        assert len(set(notice.to)) == len(notice.to)
        assert set(notice.to) <= set(call.participants)
        assert notice.event in rule.tells or rule.name == "T9"


@given(calls(), acts())
def test_t10_no_rule_leads_out_of_the_end_and_a_repeated_move_is_a_repetition(
    call: CallState, act: CallCommand
) -> None:
    decision = decide(call, act)
    if not call.is_live:
        assert not isinstance(decision, Transition)
    if isinstance(decision, Transition) and act.action in ("accept", "reject", "cancel", "end", "leave"):
        again = replace(act, successor=None)
        assert decide(decision.after, again) == Duplicate()


@given(calls(), acts())
def test_h9_strangers_and_those_from_whom_it_is_hidden_move_nothing(call: CallState, act: CallCommand) -> None:
    stranger = replace(act, actor="eve")
    assert decide(call, stranger) == Rejection("FORBIDDEN", "you are not a participant of this call")
    hidden = replace(call, hidden_from=frozenset({"ben"}))
    assert decide(hidden, replace(act, actor="ben")) == decide(None, replace(act, actor="ben"))


def test_every_rule_is_carried_out_and_nothing_else_is() -> None:
    assert set(CARRIED_OUT) == {rule.name for rule in RULES}
    assert Standing.STRANGER not in {standing for rule in RULES for standing in rule.standings}


def test_no_two_rules_answer_the_same_question() -> None:
    questions = [
        (rule.status, rule.action, call_type, each)
        for rule in RULES
        for call_type in rule.call_types
        for each in rule.standings
    ]
    assert len(set(questions)) == len(questions)


def test_the_picture_shows_every_rule_that_changes_the_status() -> None:
    drawn = picture()
    for rule in RULES:
        for target in rule.to:
            if target != rule.status:
                assert re.search(rf"{re.escape(rule.status or '[*]')} --> {target}: .*\b{rule.name} ", drawn)


NAMED = [*(f"t{number}" for number in range(1, 11)), "t4b", "t6b", *(f"h{number}" for number in range(1, 32))]


@cache
def names_of_tests() -> tuple[str, ...]:
    """Return the names of all tests of calls."""
    return tuple(
        node.name
        for path in Path(__file__).parent.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    )


@pytest.mark.parametrize("name", NAMED)
def test_every_transition_and_every_hole_has_a_test_that_names_it(name: str) -> None:
    assert any(test.startswith(f"test_{name}_") for test in names_of_tests())


def test_a_call_starts_from_its_draft_and_only_then() -> None:
    with pytest.raises(ValueError, match="draft"):
        decide(None, CallCommand(action="initiate", actor="ana", now=NOW))
    unknown = decide(None, CallCommand(action="accept", actor="ana", now=NOW))
    assert isinstance(unknown, Rejection)
    assert unknown.code == "NOT_FOUND"
    assert state_machine.standing(None, None) is Standing.SYSTEM
