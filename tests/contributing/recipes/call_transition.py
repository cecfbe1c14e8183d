"""A transition of a call: a participant puts a call that was answered on hold."""

from __future__ import annotations

from typing import Final

from tests.contributing.edits import after, append, before, edit, new
from tests.contributing.recipe import Recipe

_RULE: Final = """    # S5
    Rule(
        name="hold",
        status="ACTIVE",
        action="hold",
        actors=_IN_CALL,
        to=("ACTIVE",),
        outcome=None,
        summary="the call is on hold",
        publishes=None,
    ),
"""
_EFFECT: Final = '''

def hold(call: CallState, command: CallCommand) -> Effect:
    """Put the call on hold (S5)."""
    return Effect(call)
'''
_GUARD: Final = '''

def require_meeting(call: CallState, command: CallCommand) -> Rejection | None:
    """The call has a meeting."""
    return None if call.meeting_id else Rejection("CONFLICT", "the call has no meeting")
'''
_USE_CASE: Final = '''"""Puts calls on hold."""

from __future__ import annotations

from handlers.core.calls.commands import CallCommand


def hold(user_id: str, now: int) -> CallCommand:
    """Return the command."""
    return CallCommand(action="hold", actor=user_id, now=now)
'''
_TEST: Final = '''"""Calls on hold."""

from handlers.core.calls.hold import hold


def test_participant_can_put_a_call_on_hold() -> None:
    """Requirement S5."""
    assert hold("ana", 0).action == "hold"
'''

RECIPE: Final = Recipe(
    "A transition of a call",
    (
        edit(
            "contract/calls/transitions.py",
            "contract/calls/transitions.py: RULES lacks the rule: hold",
            after('"announce", "meeting_ended", "expire", "fail"', ', "hold"'),
            after('    "meeting_failed",\n', '    "hold",\n'),
            after("RULES: Final[tuple[Rule, ...]] = (\n", _RULE),
        ),
        edit(
            "handlers/core/calls/state_machine/effects.py",
            "has no attribute 'hold'",
            append(_EFFECT),
        ),
        edit(
            "handlers/core/calls/state_machine/guards.py",
            "has no attribute 'require_meeting'",
            append(_GUARD),
        ),
        edit(
            "handlers/core/calls/state_machine/decisions.py",
            "handlers/core/calls/state_machine/decisions.py: IMPLEMENTATION lacks the rule: hold",
            before(
                '    "meeting_failed": (effects.report_failure, ()),\n',
                '    "hold": (effects.hold, (guards.require_meeting,)),\n',
            ),
        ),
        new("handlers/core/calls/hold.py", "handlers/core/calls gives no command with the action: hold", _USE_CASE),
        new("tests/handlers/calls/test_hold.py", "no test in tests/handlers/calls shows the transition: S5", _TEST),
    ),
)
