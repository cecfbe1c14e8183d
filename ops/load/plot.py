"""Plots of load runs as SVG: latency by percentile, and each second of a run; several runs show the knee."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ops.drawing import Point, drawing, panel

_PERCENTILES: Final = ("p50", "p90", "p95", "p99", "p99.9")


def plot(results: Sequence[Mapping[str, Any]]) -> str:
    """Return the plots of one run, or of several with rising load."""
    panels = [_knee(results)] if len(results) > 1 else [_percentiles(results[0]), _seconds(results[0])]
    return drawing("Load", panels)


def _percentiles(result: Mapping[str, Any]) -> str:
    latencies = result["latencies"]
    series = {
        "planned → received": [latencies["received"][name] for name in _PERCENTILES],
        "request → received": [latencies["receivedService"][name] for name in _PERCENTILES],
        "planned → response": [latencies["response"][name] for name in _PERCENTILES],
        "request → response": [latencies["responseService"][name] for name in _PERCENTILES],
    }
    points: dict[str, list[Point]] = {name: list(enumerate(values)) for name, values in series.items()}
    plan = result["plan"]
    title = f"Latency by percentile, {plan['users']} users x {plan['rate']:g} messages/s (ms, logarithmic)"
    return panel(title, points, dict(enumerate(_PERCENTILES)), logarithmic=True)


def _seconds(result: Mapping[str, Any]) -> str:
    rows = result["seconds"]
    points = {
        "offered/s": [(row["second"], row["offered"]) for row in rows],
        "accepted/s": [(row["second"], row["accepted"]) for row in rows],
        "received p95 (ms)": [(row["second"], row["receivedP95"]) for row in rows],
    }
    step = max(1, len(rows) // 10)
    return panel("Each second of the run", points, {number: f"{number} s" for number in range(0, len(rows), step)})


def _knee(results: Sequence[Mapping[str, Any]]) -> str:
    ordered = sorted(results, key=lambda each: float(each["offered"]))
    points = {
        "received p50": [(each["offered"], each["latencies"]["received"]["p50"]) for each in ordered],
        "received p95": [(each["offered"], each["latencies"]["received"]["p95"]) for each in ordered],
        "received p99": [(each["offered"], each["latencies"]["received"]["p99"]) for each in ordered],
    }
    labels = {each["offered"]: f"{each['offered']:.0f}" for each in ordered}
    return panel("Planned time → received by offered messages/s (ms, logarithmic)", points, labels, logarithmic=True)
