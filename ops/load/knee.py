"""Finds the greatest load that an environment takes: the knee of the latency curve."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from ops.load.plan import Plan

GOAL_MILLISECONDS: Final = 200.0
"""The guide's target: a message is received within 200 ms in 95 of 100 cases."""
_GROWTH: Final = 1.5
_CLOSE: Final = 1.15
_RUNS: Final = 10

Measure = Callable[[Plan], Awaitable[Mapping[str, Any]]]


def good(result: Mapping[str, Any]) -> bool:
    """Return whether an environment took the load of a run: all accepted and received, p95 within the goal."""
    received = result["latencies"]["received"]["p95"]
    return not (result["saturated"] or result["errors"] or result["lost"]) and received <= GOAL_MILLISECONDS


async def find(plan: Plan, measure: Measure) -> tuple[list[Mapping[str, Any]], float]:
    """Raise the rate until a run is not good, then narrow down the greatest good one.

    Args:
        plan: the first run.
        measure: makes a run.

    Returns:
        Every run, and the greatest messages a second that was good; 0 if not even the first was.
    """
    results: list[Mapping[str, Any]] = []
    low, high, rate = 0.0, 0.0, plan.rate
    while len(results) < _RUNS:
        result = await measure(replace(plan, rate=rate, seed=plan.seed + len(results)))
        results.append(result)
        if good(result):
            low = rate
        else:
            high = rate
        if high and (not low or high / low <= _CLOSE):
            break
        rate = (low * high) ** 0.5 if high else low * _GROWTH
    return results, low * plan.users
