"""The search finds the greatest load that is good, and plots show it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

import pytest

from ops.load import knee
from ops.load.plan import Plan
from ops.load.plot import plot
from ops.load.records import Latencies, Records, Sent
from ops.load.results import as_json, as_text, dumps
from ops.load.run import Outcome


def _result(plan: Plan, milliseconds: float, **fields: Any) -> dict[str, Any]:
    records = Records()
    for number in range(int(plan.offered * plan.seconds)):
        records.ask(str(number), Sent(number % plan.seconds, 0.0, 0.0, 1))
        records.accept(str(number), 0.001)
        message = {"tempId": str(number), "senderId": "ana", "conversationId": "c", "seq": number}
        records.arrive("ben", message, milliseconds / 1000)
    return {**as_json("local", Outcome(plan, records, 0.0)), **fields}


@pytest.mark.parametrize("limit", [15.0, 37.0, 80.0])
async def test_greatest_good_load_is_found_within_15_percent(limit: float) -> None:
    async def measure(plan: Plan) -> Mapping[str, Any]:
        return _result(plan, 50 if plan.offered <= limit else 500)

    runs, greatest = await knee.find(Plan(users=10, seconds=3), measure)
    assert limit / 1.15 <= greatest <= limit
    assert len(runs) <= 10


async def test_environment_that_takes_no_load_has_no_knee() -> None:
    async def measure(plan: Plan) -> Mapping[str, Any]:
        return _result(plan, 500)

    runs, greatest = await knee.find(Plan(users=10, seconds=1), measure)
    assert (greatest, len(runs)) == (0.0, 1)


@pytest.mark.parametrize(
    "fields",
    [{"saturated": True}, {"errors": {"503 UNAVAILABLE": 1}}, {"lost": 1}],
    ids=["saturated", "errors", "lost"],
)
def test_run_with_a_fault_is_not_good(fields: dict[str, Any]) -> None:
    assert knee.good(_result(Plan(users=2, seconds=1), 50))
    assert not knee.good(_result(Plan(users=2, seconds=1), 50, **fields))


def test_run_that_accepts_too_little_is_saturated() -> None:
    records = Records()
    for number in range(100):
        records.ask(str(number), Sent(0, 0.0, 0.0, 1))
    for number in range(90):
        records.accept(str(number), 0.5)
    outcome = Outcome(Plan(users=100, seconds=1), records, 0.0)
    assert (outcome.offered, outcome.achieved, outcome.saturated) == (100, 90, True)
    assert "saturated" in as_text(as_json("local", outcome))


def test_text_names_what_went_wrong() -> None:
    plan = Plan(users=2, seconds=1)
    storm = Latencies()
    storm.add(0.25)
    result = _result(plan, 50, errors={"429 TOO_MANY_REQUESTS": 3}, lost=2, reconnectStorm=storm.as_json())
    text = as_text(result)
    for part in ("3 x 429 TOO_MANY_REQUESTS", "2 events lost", "1 connections cut", "planned time"):
        assert part in text


@pytest.mark.parametrize("count", [1, 3], ids=["one run", "several runs"])
def test_plot_is_a_drawing_of_every_series(count: int) -> None:
    results = [_result(Plan(users=2 * number, seconds=2), 50 * number) for number in range(1, count + 1)]
    root = ET.fromstring(plot(results))  # noqa: S314 - our own text
    lines = root.findall(".//{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == (7 if count == 1 else 3)
    points = [float(number) for line in lines for pair in line.attrib["points"].split() for number in pair.split(",")]
    assert all(0 <= each <= 760 for each in points)
    assert '"runs"' in dumps(results)
