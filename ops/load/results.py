"""The results of a load run: as text, and as JSON with everything that a plot needs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ops.load.run import SATURATED_BELOW, Outcome


def machine() -> str:
    """Return what the load came from; of a local cloud it is also what the environment ran on."""
    load = os.getloadavg()[0]
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load average {load:.1f} at the end"


def as_json(environment: str, outcome: Outcome) -> dict[str, Any]:
    """Return a run as JSON: latencies in milliseconds, rates in messages a second."""
    records, plan = outcome.records, outcome.plan
    return {
        "environment": environment,
        "machine": machine(),
        "plan": asdict(plan),
        "offered": round(outcome.offered, 2),
        "achieved": round(outcome.achieved, 2),
        "saturated": outcome.saturated,
        "accepted": records.accepted,
        "errors": dict(records.errors),
        "lost": records.missing,
        "duplicates": records.duplicates,
        "reordered": records.reordered,
        "latencies": {
            "response": records.response.as_json(),
            "responseService": records.response_service.as_json(),
            "received": records.received.as_json(),
            "receivedService": records.received_service.as_json(),
        },
        "reconnectStorm": outcome.storm.as_json() if outcome.storm else None,
        "seconds": records.by_second(range(plan.seconds), outcome.start),
    }


def as_text(result: Mapping[str, Any]) -> str:
    """Return a run as text for a terminal."""
    plan, latencies = result["plan"], result["latencies"]
    kind = "direct conversations" if plan["group"] == 2 else f"groups of {plan['group']}"
    lines = [
        f"{plan['users']} users in {kind}, {plan['rate']:g} messages a second each, {plan['seconds']} s: "
        f"{result['environment']}, {result['machine']}",
        f"  offered {result['offered']:.1f} messages/s, accepted {result['achieved']:.1f} messages/s"
        + (f": saturated (below {SATURATED_BELOW:.0%})" if result["saturated"] else ""),
        f"  {result['accepted']} accepted, {result['lost']} events lost, {result['duplicates']} duplicated, "
        f"{result['reordered']} out of order",
        *(f"  refused: {count} x {reason}" for reason, count in result["errors"].items()),
        "  milliseconds                                p50       p95       p99       max",
        _row("planned time → response", latencies["response"]),
        _row("planned time → received", latencies["received"]),
        _row("request → response", latencies["responseService"]),
        _row("request → received", latencies["receivedService"]),
    ]
    if result["reconnectStorm"]:
        lines.append(
            _row(f"{result['reconnectStorm']['count']} connections cut → subscribed", result["reconnectStorm"])
        )
    return "\n".join(lines) + "\n"


def _row(title: str, figures: Mapping[str, float]) -> str:
    return f"    {title:34}" + "".join(f"{figures[name]:10.1f}" for name in ("p50", "p95", "p99", "max"))


def dumps(results: Sequence[Mapping[str, Any]]) -> str:
    """Return results as a JSON document."""
    return json.dumps({"runs": list(results)}, indent=2) + "\n"
