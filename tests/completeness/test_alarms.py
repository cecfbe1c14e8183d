"""Every alarm has a section in the runbook and stands in the snapshots. Reads the definitions as source text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks.config.load import environment_names, load
from tests.completeness.source import ROOT, missing

DEFINITIONS = "stacks/monitoring/alarms.py"
CANARY_DEFINITIONS = "stacks/monitoring/canary_alarms.py"
WITH_ALARMS = [name for name in environment_names() if load(name).operations.alarms]


def _constant(path: Path, name: str) -> str:
    """Return the text of a constant of a module."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            return str(ast.literal_eval(node.value)) if node.value else ""
    raise LookupError(f"{path} has no constant {name}")


RUNBOOK = _constant(ROOT / "stacks/monitoring/alarm_definition.py", "RUNBOOK")


def _texts(keyword: str | None = None, definitions: str = DEFINITIONS) -> Iterator[str]:
    """Yield the texts of the definitions: of one keyword of `AlarmDefinition`, or all."""
    for node in ast.walk(ast.parse((ROOT / definitions).read_text(encoding="utf-8"))):
        if keyword is None and isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        if isinstance(node, ast.keyword) and node.arg == keyword and isinstance(node.value, ast.Constant):
            yield str(node.value.value)


def _sections() -> list[str]:
    """Return the headings of the runbook, which is a whole page or the last part of one."""
    _, _, runbook = ("\n" + (ROOT / RUNBOOK).read_text(encoding="utf-8")).rpartition("\n## Runbook\n")
    return re.findall(r"^### (.+)$", runbook, re.MULTILINE)


def test_every_alarm_names_a_section_of_the_runbook() -> None:
    absent = sorted({*_texts("runbook"), *_texts("runbook", CANARY_DEFINITIONS)} - set(_sections()))
    assert not absent, missing(f"{RUNBOOK} lacks the section", absent, "write what an operator should do")


def test_every_section_of_the_runbook_belongs_to_an_alarm() -> None:
    unnamed = sorted(set(_sections()) - {*_texts(), *_texts(definitions=CANARY_DEFINITIONS)})
    assert not unnamed, missing(f"no alarm of {DEFINITIONS} names the section of {RUNBOOK}", unnamed, "add the alarm")


@pytest.mark.parametrize("environment", WITH_ALARMS)
def test_every_alarm_is_in_the_snapshots(environment: str) -> None:
    path = f"tests/snapshots/{environment}/Operations.yaml"
    text = (ROOT / path).read_text(encoding="utf-8")
    canary = load(environment, variables={}).canary
    ids = [*_texts("id"), *(_texts("id", CANARY_DEFINITIONS) if canary.enabled and canary.minutes else ())]
    absent = [each for each in ids if f"AlarmName: PantherKolab-{each}-{environment}\n" not in text]
    assert not absent, missing(f"{path} lacks the alarm", absent, "run: make snapshots")
