"""Estimates what an environment costs in a month: `python -m ops.costs --env NAME [--profile NAME]`.

Reads the templates (alarms, metrics, polling, schedules, memory, log retention), the counted ledger of operations and a
profile of use, and multiplies them with the prices of `ops/costs/prices.toml`. It needs no credentials.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from ops import cdk
from ops.costs.chart import chart
from ops.costs.environment import EnvironmentCosts, read
from ops.costs.estimate import Estimate, estimate
from ops.costs.page import as_markdown, as_text
from ops.costs.prices import FREE_TIERS, FreeTier
from ops.costs.profiles import Profile, profiles
from ops.costs.usage import used
from ops.errors import CommandError


def estimates_of(
    environment: EnvironmentCosts, tier: FreeTier, names: list[str]
) -> dict[str, tuple[Profile, Estimate]]:
    """Return the estimates of some profiles by name."""
    found = {name: profiles()[name] for name in names}
    return {name: (profile, estimate(used(profile, environment), tier)) for name, profile in found.items()}


def _templates(environment: str) -> EnvironmentCosts:
    with tempfile.TemporaryDirectory(prefix="assembly-") as directory:
        print(f"→ Synthesising {environment}", file=sys.stderr, flush=True)
        cdk.synthesise(cdk.ROOT, environment, Path(directory), validate=False)
        return read({name: stack.template for name, stack in cdk.stacks_of(Path(directory)).items()})


def _as_json(found: dict[str, tuple[Profile, Estimate]]) -> str:
    return json.dumps(
        {
            name: {
                "users": profile.users,
                "total": each.total,
                "services": each.by_service,
                "lines": [{**asdict(line), "dollars": line.dollars} for line in each.lines],
                "usage": asdict(each.usage),
            }
            for name, (profile, each) in found.items()
        },
        indent=2,
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 2 if the environment cannot be synthesised."""
    parser = argparse.ArgumentParser(
        prog="python -m ops.costs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", required=True, help="name of the environment")
    parser.add_argument("--profile", choices=profiles(), help="how it is used; without it, a table of all profiles")
    parser.add_argument(
        "--free", choices=FREE_TIERS, default="none", help="what is free in the account (default: none)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--chart", metavar="FILE", help="also write a chart (SVG)")
    chosen = parser.parse_args(arguments)
    try:
        environment = _templates(chosen.env)
    except CommandError as error:
        print(error, file=sys.stderr)
        return 2
    found = estimates_of(environment, chosen.free, [chosen.profile] if chosen.profile else list(profiles()))
    if chosen.chart:
        Path(chosen.chart).write_text(chart({profile.title: each for profile, each in found.values()}), "utf-8")
    if chosen.json:
        print(_as_json(found))
    elif chosen.profile:
        print(as_text(chosen.env, *found[chosen.profile], chosen.free), end="")
    else:
        print(as_markdown(found), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
