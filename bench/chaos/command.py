"""`python -m bench chaos`: many clients under faults, killed functions, cut connections and a restart."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.chaos.run import Plan, chaos
from local.testing import LocalCloud


def main(arguments: Sequence[str]) -> int:
    """Run and print the figures; 1 if a message was lost, doubled or misplaced."""
    default = Plan()
    parser = argparse.ArgumentParser(prog="python -m bench chaos", description=__doc__)
    parser.add_argument("--users", type=int, default=default.users, help="users who send (default: %(default)s)")
    parser.add_argument(
        "--interval", type=float, default=default.interval, help="seconds between sends (default: %(default)s)"
    )
    parser.add_argument(
        "--before", type=float, default=default.before, help="undisturbed seconds (default: %(default)s)"
    )
    parser.add_argument(
        "--seconds", type=float, default=default.seconds, help="seconds under faults (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=default.seed, help="seed of all randomness (default: %(default)s)")
    parser.add_argument("--state", type=Path, default=None, help="keep the state and the logs in this directory")
    chosen = parser.parse_args(arguments)
    plan = Plan(chosen.users, chosen.interval, chosen.before, chosen.seconds, chosen.seed)
    with tempfile.TemporaryDirectory() as scratch, LocalCloud.start(chosen.state or Path(scratch)) as cloud:
        outcome = asyncio.run(chaos(cloud, plan))
    print("\n".join(outcome.lines(plan)), flush=True)
    return 1 if outcome.found else 0
