"""The metrics of calls are counted from the log lines that the functions really write."""

from __future__ import annotations

import io
import json
import logging
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from handlers.adapters.call_log import CallLogWriter
from handlers.adapters.system import SystemClock
from handlers.core.calls.ports import CallLogEntry
from handlers.core.calls.sweep import CallSweepReport
from handlers.core.delivery.sweep import SweepReport
from handlers.core.users.ports import ProfileStore
from handlers.entry import call_sweep, logs, profile, sweep
from stacks.monitoring import log_metrics
from stacks.monitoring.log_metrics import LOG_METRICS, LogMetric

_TERM = re.compile(r'\$\.(?P<field>\w+) (?P<operator>=|>|>=) (?:"(?P<text>[^"]*)"|(?P<number>\d+))')
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {"=": operator.eq, ">": operator.gt, ">=": operator.ge}


def counted(metric: LogMetric, line: dict[str, Any]) -> float | None:
    """Return the value that a metric filter reads from a line, or None if the line does not match its pattern."""
    inner = re.fullmatch(r"\{ (.*) \}", metric.pattern)
    assert inner is not None
    for term in inner[1].split(" && "):
        if absent := re.fullmatch(r"\$\.(\w+) NOT EXISTS", term):
            if absent[1] in line:
                return None
            continue
        match = _TERM.fullmatch(term)
        assert match is not None, term
        operand: Any = int(match["number"]) if match["number"] else match["text"]
        if match["field"] not in line or not _OPERATORS[match["operator"]](line[match["field"]], operand):
            return None
    return float(line[metric.value.removeprefix("$.")]) if metric.value.startswith("$.") else float(metric.value)


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """The log output of the functions' log handler."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    root = logging.getLogger()
    root.addHandler(handler)
    logs.configure()
    yield text
    root.removeHandler(handler)


def log_entry(outcome: str, status: str, **fields: int) -> CallLogEntry:
    """Return the log entry of one transition of a call."""
    return CallLogEntry(rule="T", outcome=outcome, session_id="s", status=status, **fields)


LOG_ENTRIES = [
    (log_entry("initiated", "RINGING"), {"CallsInitiated": 1}),
    (log_entry("delivered", "RINGING"), {"CallsDelivered": 1}),
    (log_entry("accepted", "ACTIVE", ring_milliseconds=4200), {"CallsAccepted": 1, "TimeToAnswer": 4200}),
    (log_entry("joined", "ACTIVE"), {}),
    (log_entry("rejected", "RINGING"), {}),
    (log_entry("rejected", "REJECTED", ring_milliseconds=900), {"CallsRejected": 1}),
    (log_entry("cancelled", "CANCELLED", ring_milliseconds=900), {"CallsCancelled": 1}),
    (log_entry("missed", "ACTIVE"), {}),
    (log_entry("missed", "MISSED", ring_milliseconds=45_000), {"CallsMissed": 1}),
    (log_entry("failed", "RINGING"), {"CallsFailed": 1}),
    (log_entry("left", "ACTIVE"), {}),
    (log_entry("ended", "ENDED", duration_seconds=65), {"CallDuration": 65}),
    (log_entry("left", "ENDED", duration_seconds=0), {"CallDuration": 0}),
]


@pytest.mark.parametrize(
    ("entry", "expected"), LOG_ENTRIES, ids=[f"{each.outcome}-{each.status}" for each, _ in LOG_ENTRIES]
)
def test_log_entry_of_a_call_is_counted_by_exactly_its_metrics(
    output: io.StringIO, entry: CallLogEntry, expected: dict[str, float]
) -> None:
    CallLogWriter().write(entry)
    line = json.loads(output.getvalue())
    found = {each.name: counted(each, line) for each in LOG_METRICS}
    assert {name: value for name, value in found.items() if value is not None} == expected


def test_calls_of_the_canary_are_in_no_metric(output: io.StringIO) -> None:
    for entry, _ in LOG_ENTRIES:
        CallLogWriter().write(msgspec.structs.replace(entry, is_canary=True))
    for text in output.getvalue().splitlines():
        assert [each.name for each in LOG_METRICS if counted(each, json.loads(text)) is not None] == []


def test_overdue_and_stuck_calls_of_a_sweep_are_counted(output: io.StringIO) -> None:
    class Swept:
        def run(self) -> CallSweepReport:
            return CallSweepReport(examined=5, ended=["a", "b"], unfinished=["c"])

    call_sweep.runner(Swept)({}, None)  # type: ignore[arg-type]  # only run() is called
    line = json.loads(output.getvalue())
    found = {each.name: counted(each, line) for each in LOG_METRICS}
    assert {name: value for name, value in found.items() if value is not None} == {"CallsOverdue": 2, "CallsStuck": 1}


def test_given_up_events_of_a_sweep_are_counted(output: io.StringIO) -> None:
    class Swept:
        def run(self) -> SweepReport:
            return SweepReport(offered=3, given_up=["a", "b"])

    sweep.runner(Swept)({}, None)  # type: ignore[arg-type]  # only run() is called
    assert _total(log_metrics.GIVEN_UP, output) == 2


def test_sign_up_without_profile_is_counted_although_the_trigger_catches_the_error(output: io.StringIO) -> None:
    def unavailable() -> ProfileStore:
        raise TimeoutError("DynamoDB does not respond")

    event = {"triggerSource": "PostConfirmation_ConfirmSignUp", "request": {"userAttributes": {"sub": "u"}}}
    assert profile.trigger(unavailable, SystemClock())(event, None) == event
    assert _total(log_metrics.MISSING_PROFILES, output) == 1


def _total(metric: LogMetric, output: io.StringIO) -> float:
    """Return the sum of a metric over the lines of a log."""
    values = (counted(metric, json.loads(line)) for line in output.getvalue().splitlines())
    return sum(value for value in values if value is not None)


def test_sweep_without_overdue_calls_is_not_counted() -> None:
    line = {"message": "calls swept", "lookedAt": 0, "ended": 0, "left": 0}
    assert [each.name for each in LOG_METRICS if counted(each, line) is not None] == []


def test_every_metric_is_counted_from_the_functions_that_log_it() -> None:
    by_metric = {metric.name: {each.function for each in metric.functions} for metric in LOG_METRICS}
    assert by_metric["CallsMissed"] == {"ring_timeout", "call_sweep"}
    assert by_metric["CallDuration"] == {"calls", "chime_events", "call_sweep"}
    assert by_metric["CallsStuck"] == by_metric["CallsOverdue"] == {"call_sweep"}
    assert all(by_metric[each.name] == {"calls"} for each in log_metrics.RING_FUNNEL if each is not log_metrics.MISSED)
