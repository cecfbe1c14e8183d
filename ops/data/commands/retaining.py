"""`retention`: removes the content of messages, and calls, that are older than the environment keeps them."""

from __future__ import annotations

import argparse
from typing import Any

from ops.data.commands.common import Context, show
from ops.data.retention import Retention
from stacks.config.load import load


def add_arguments(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the command."""
    retention = commands.add_parser("retention", parents=[common], help="remove what is too old", description=__doc__)
    retention.add_argument("--apply", action="store_true", help="remove it, after a typed confirmation")


def run(context: Context) -> int:
    """Remove what is too old; return 1 where the dry run found something."""
    chosen = context.arguments
    data = context.settings or load(chosen.env).data
    kept = {"messages": data.message_retention_days, "calls": data.call_retention_days}
    limits = ", ".join(f"{name} {f'{days} days' if days else 'for ever'}" for name, days in kept.items())
    retention = Retention(context.live, kept["messages"], kept["calls"])
    plan = retention.plan()
    if not chosen.apply:
        show(context, plan, [f"{chosen.env} keeps {limits}", *_lines(plan)])
        return 1 if any(plan.values()) else 0
    if not any(plan.values()):
        show(context, plan, [f"{chosen.env} keeps {limits}: nothing is older"])
        return 0
    for line in () if chosen.json else _lines(plan):
        print(line)
    context.confirm(f"{chosen.env} keeps {limits}. What is older is removed and cannot be brought back.", chosen.env)
    done = retention.run(context.pace)
    show(context, done, _lines(done))
    return 0


def _lines(counts: dict[str, int]) -> list[str]:
    return [f"{count:>8}  {name}" for name, count in counts.items()]
