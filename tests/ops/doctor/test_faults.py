"""The doctor names the cause of every injected fault, and no other check reports it."""

from __future__ import annotations

import pytest

from ops.deployed.target import Target
from ops.doctor.check import Outcome
from ops.doctor.report import as_text
from tests.ops.doctor.conftest import look, reported
from tests.ops.doctor.faults import FAULTS, Fault


@pytest.fixture(scope="module")
def baseline(target: Target) -> set[str]:
    """What the doctor reports of the local cloud without a fault: its alarms have no recipient."""
    report = look(target)
    assert report.of(Outcome.FAILED) == [], as_text(report)
    return reported(report)


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_doctor_names_the_cause_of_a_fault(target: Target, baseline: set[str], fault: Fault) -> None:
    with fault.inject(target):
        report = look(target)
    text = as_text(report)
    assert reported(report) - baseline == fault.checks, text
    assert fault.named in " ".join(text.split()), text


def test_doctor_reports_nothing_after_the_faults(target: Target, baseline: set[str]) -> None:
    assert reported(look(target)) == baseline
