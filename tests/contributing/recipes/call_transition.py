"""A transition of a call: a participant puts a call that was answered on hold."""

from __future__ import annotations

from typing import Final

from tests.contributing.edits import after, append, before, edit, new
from tests.contributing.recipe import Recipe

_NUMBER: Final = f"S{6}"
"""The number of the rule, written so that this file does not mention a transition that does not exist."""
_RULE: Final = f"""    # {_NUMBER}
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
_EFFECT: Final = f'''

def hold(call: CallState, command: CallCommand) -> Effect:
    """Put the call on hold ({_NUMBER})."""
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
_TEST: Final = f'''"""Calls on hold."""

from handlers.core.calls.hold import hold


def test_participant_can_put_a_call_on_hold() -> None:
    """Requirement {_NUMBER}."""
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
        edit(
            "tools/generate/requirements.toml",
            "add these numbers to tools/generate/requirements.toml",
            before("\n[cases]\n", f'{_NUMBER} = "A participant puts the call on hold."\n'),
        ),
        new(
            "tests/handlers/calls/test_hold.py",
            f"no test in tests/handlers/calls shows the transition: {_NUMBER}",
            _TEST,
        ),
    ),
)
