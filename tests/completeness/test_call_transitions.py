"""Every rule of calls is implemented, started by a use case, counted, and shown by a test."""

from __future__ import annotations

import ast
import re
from typing import get_args

from contract.calls.transitions import RULES, Action, Outcome, RuleName
from handlers.core.calls.state_machine.decisions import IMPLEMENTATION
from tests.completeness.source import ROOT, missing, names, text_of

TABLE = "contract/calls/transitions.py"
NOT_COUNTED = {"joined", "left", "ended"}
"""Outcomes without a metric of their own; the log lines of the last two have the duration, which is a metric."""


def test_every_rule_is_implemented() -> None:
    absent = [rule for rule in get_args(RuleName) if rule not in IMPLEMENTATION]
    assert not absent, missing(
        "handlers/core/calls/state_machine/decisions.py: IMPLEMENTATION lacks the rule", absent, "add effect and guards"
    )
    unknown = sorted(set(IMPLEMENTATION) - {rule.name for rule in RULES})
    assert not unknown, missing(f"{TABLE}: RULES lacks the rule", unknown, "add it; the state machine implements it")


def test_a_use_case_gives_every_command() -> None:
    absent = [each for each in get_args(Action) if not names(f'"{each}"', "handlers/core/calls/*.py")]
    assert not absent, missing("handlers/core/calls gives no command with the action", absent, "add it to a use case")


def test_every_outcome_is_a_metric() -> None:
    absent = [
        each
        for each in get_args(Outcome)
        if each not in NOT_COUNTED and f'$.outcome = "{each}"' not in text_of("stacks/monitoring/log_metrics.py")
    ]
    assert not absent, missing(
        "stacks/monitoring/log_metrics.py counts no outcome", absent, "add a LogMetric, or list it in NOT_COUNTED"
    )


def test_every_number_above_a_rule_is_in_the_docstring_of_a_test() -> None:
    numbers = re.findall(r"(?m)^    # ([A-Z]\d+b?)$", (ROOT / TABLE).read_text(encoding="utf-8"))
    assert len(numbers) == len(RULES), f"{TABLE}: each rule has its number in a comment above it"
    docstrings = [
        ast.get_docstring(node) or ""
        for path in (ROOT / "tests/handlers/calls").glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    text = "\n".join(docstrings)
    absent = [each for each in dict.fromkeys(numbers) if not re.search(rf"\bRequirements? [^.]*\b{each}\b", text)]
    assert not absent, missing(
        "no test in tests/handlers/calls shows the transition",
        absent,
        "name its number in the docstring of one",
    )
