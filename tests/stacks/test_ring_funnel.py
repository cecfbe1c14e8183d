"""The ring funnel counts the lines that the functions write: field names and values are those of the real lines."""

from __future__ import annotations

import io
import json
import logging
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from handlers.adapters.call_log import CallLogWriter
from handlers.core.calls.ports import CallLogEntry
from handlers.core.calls.sweep import CallSweepReport
from handlers.entry import call_sweep, logs
from stacks.monitoring import call_metrics
from stacks.monitoring.call_metrics import STEPS, Step

_TERM = re.compile(r'\$\.(?P<field>\w+) (?P<operator>=|>|>=) (?:"(?P<text>[^"]*)"|(?P<number>\d+))')
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {"=": operator.eq, ">": operator.gt, ">=": operator.ge}


def counted(step: Step, line: dict[str, Any]) -> float | None:
    """Return what a step's filter makes of a line, None where the line does not match (CloudWatch's pattern syntax)."""
    inner = re.fullmatch(r"\{ (.*) \}", step.pattern)
    assert inner is not None
    for term in inner[1].split(" && "):
        match = _TERM.fullmatch(term)
        assert match is not None, term
        wanted: Any = int(match["number"]) if match["number"] else match["text"]
        if match["field"] not in line or not _OPERATORS[match["operator"]](line[match["field"]], wanted):
            return None
    return float(line[step.value.removeprefix("$.")]) if step.value.startswith("$.") else float(step.value)


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """What the functions' handler writes."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    root = logging.getLogger()
    root.addHandler(handler)
    logs.configure()
    yield text
    root.removeHandler(handler)


def note(outcome: str, status: str, **fields: int) -> CallLogEntry:
    """Return one step of a call."""
    return CallLogEntry(rule="T", outcome=outcome, session_id="s", status=status, **fields)


NOTES = [
    (note("initiated", "RINGING"), {"CallsInitiated": 1}),
    (note("delivered", "RINGING"), {"CallsDelivered": 1}),
    (note("accepted", "ACTIVE", ring_milliseconds=4200), {"CallsAccepted": 1, "TimeToAnswer": 4200}),
    (note("joined", "ACTIVE"), {}),
    (note("rejected", "RINGING"), {}),
    (note("rejected", "REJECTED", ring_milliseconds=900), {"CallsRejected": 1}),
    (note("cancelled", "CANCELLED", ring_milliseconds=900), {"CallsCancelled": 1}),
    (note("missed", "ACTIVE"), {}),
    (note("missed", "MISSED", ring_milliseconds=45_000), {"CallsMissed": 1}),
    (note("failed", "RINGING"), {"CallsFailed": 1}),
    (note("left", "ACTIVE"), {}),
    (note("ended", "ENDED", duration_seconds=65), {"CallDuration": 65}),
    (note("left", "ENDED", duration_seconds=0), {"CallDuration": 0}),
]


@pytest.mark.parametrize(("step", "expected"), NOTES, ids=[f"{each.outcome}-{each.status}" for each, _ in NOTES])
def test_a_step_of_a_call_is_counted_as_what_it_is(
    output: io.StringIO, step: CallLogEntry, expected: dict[str, float]
) -> None:
    CallLogWriter().write(step)
    line = json.loads(output.getvalue())
    found = {each.metric: counted(each, line) for each in STEPS}
    assert {name: value for name, value in found.items() if value is not None} == expected


def test_what_a_sweep_ended_and_what_it_could_not_end_is_counted(output: io.StringIO) -> None:
    class Swept:
        def run(self) -> CallSweepReport:
            return CallSweepReport(examined=5, ended=["a", "b"], unfinished=["c"])

    call_sweep.runner(Swept)({}, None)  # type: ignore[arg-type]  # only run() is called
    line = json.loads(output.getvalue())
    found = {each.metric: counted(each, line) for each in STEPS}
    assert {name: value for name, value in found.items() if value is not None} == {"CallsOverdue": 2, "CallsStuck": 1}


def test_a_minute_without_anything_left_over_is_no_alarm() -> None:
    line = {"message": "calls swept", "lookedAt": 0, "ended": 0, "left": 0}
    assert [each.metric for each in STEPS if counted(each, line) is not None] == []


def test_every_step_is_counted_where_it_is_written() -> None:
    by_metric = {step.metric: {each.function for each in step.functions} for step in STEPS}
    assert by_metric["CallsMissed"] == {"ring_timeout", "call_sweep"}
    assert by_metric["CallDuration"] == {"calls", "chime_events", "call_sweep"}
    assert by_metric["CallsStuck"] == by_metric["CallsOverdue"] == {"call_sweep"}
    assert all(by_metric[step.metric] == {"calls"} for step in call_metrics.FUNNEL if step is not call_metrics.MISSED)
