"""Loads an environment with users who send messages: `python -m ops.load --env NAME`.

Creates users, signs them in and lets each send at planned times, whatever the environment answers (an open loop).
Latencies count from the planned time, so that a stall of the environment is not hidden by a client that waits; the
latencies from the actual request stand beside them. Every message is looked for at every receiver: lost, duplicated and
reordered events are counted. On a local cloud the users share the machine with everything that they load.

Against AWS it prints the estimated costs and asks first; protected environments are refused.

Exit status: 0 the run is complete and nothing was lost, 1 events were lost, 2 the run could not be made.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import aiohttp

from client.errors import ClientError
from ops.errors import CommandError
from ops.load import knee, price
from ops.load.environment import environment_of
from ops.load.people import Pool, people
from ops.load.plan import Plan, check, check_bounds_of_aws
from ops.load.plot import plot
from ops.load.records import Records
from ops.load.results import as_json, as_text, dumps
from ops.load.run import run, storm
from stacks.config.load import SettingsError, load

_STORM_SECONDS: Final = 60.0


async def _load(plan: Plan, chosen: argparse.Namespace) -> list[Mapping[str, Any]]:
    settings = load(chosen.env)
    target, cognito = await environment_of(settings, chosen.outputs)
    if not target.local:
        check_bounds_of_aws(plan, protected=settings.protected)
        _confirm(plan, chosen.env, confirmed=chosen.yes)
    pool = Pool(cognito, target)
    current = Records()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, pool.delete_all)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))

        def on_message(user_id: str, message: Mapping[str, Any]) -> None:
            current.arrive(user_id, message, asyncio.get_running_loop().time())

        persons = await people(plan, target, pool, http, on_message, _progress())
        for person in persons:
            stack.push_async_callback(person.events.close)

        async def measure(each: Plan) -> Mapping[str, Any]:
            nonlocal current
            current = Records()
            outcome = await run(each, persons, current, _progress())
            if chosen.storm:
                _progress()("cutting every connection")
                outcome.storm = await storm(persons, _STORM_SECONDS)
            result = as_json(chosen.env, outcome)
            print(as_text(result), end="", flush=True)
            return result

        if not chosen.knee:
            return [await measure(plan)]
        results, greatest = await knee.find(plan, measure)
        print(f"greatest load with p95 ≤ {knee.GOAL_MILLISECONDS:.0f} ms and nothing lost: {greatest:.1f} messages/s")
        return results


def _confirm(plan: Plan, environment: str, *, confirmed: bool) -> None:
    load = f"{plan.users} users x {plan.rate:g} messages/s x {plan.seconds} s"
    print(
        f"{load} on AWS cost about {price.dollars(plan):.2f} $. "
        f"The users are deleted afterwards; their conversations stay in the tables of {environment}.",
        file=sys.stderr,
    )
    if confirmed:
        return
    if not sys.stdin.isatty():
        raise CommandError("Confirm the costs with --yes.")
    if input(f"Type the name of the environment to go on [{environment}]: ").strip() != environment:
        raise CommandError("Not confirmed; nothing was done.")


def _progress() -> Callable[[str], None]:
    """Return what shows progress on standard error: in place on a terminal, else a line for each change."""
    in_place = sys.stderr.isatty()

    def show(text: str) -> None:
        sys.stderr.write(f"\r\033[K→ {text}" if in_place else f"→ {text}\n")
        sys.stderr.flush()

    return show


def _parser() -> argparse.ArgumentParser:
    default = Plan()
    parser = argparse.ArgumentParser(
        prog="python -m ops.load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", required=True, help="name of the environment; `local` is the running local cloud")
    parser.add_argument("--users", type=int, default=default.users, help="users (default: %(default)s)")
    parser.add_argument(
        "--rate", type=float, default=default.rate, help="messages a second of each user (default: %(default)s)"
    )
    parser.add_argument("--seconds", type=int, default=default.seconds, help="length (default: %(default)s)")
    parser.add_argument(
        "--group", type=int, default=default.group, help="members of a conversation; 2 is direct (default: %(default)s)"
    )
    parser.add_argument("--poisson", action="store_true", help="send at random times instead of at equal intervals")
    parser.add_argument("--seed", type=int, default=default.seed, help="seed of the times (default: %(default)s)")
    parser.add_argument("--knee", action="store_true", help="raise the rate from --rate on, and find the greatest load")
    parser.add_argument("--storm", action="store_true", help="then cut every connection, and time the reconnections")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write the plot as SVG")
    parser.add_argument("--outputs", type=Path, metavar="FILE", help="outputs of the stacks, instead of asking AWS")
    parser.add_argument("--yes", action="store_true", help="do not ask before a run against AWS")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    chosen = _parser().parse_args(arguments)
    plan = Plan(chosen.users, chosen.rate, chosen.seconds, chosen.group, chosen.seed, chosen.poisson)
    try:
        check(plan)
        results = asyncio.run(_load(plan, chosen))
    except (CommandError, SettingsError, ClientError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 2
    if chosen.json:
        chosen.json.write_text(dumps(results), encoding="utf-8")
    if chosen.plot:
        chosen.plot.write_text(plot(results), encoding="utf-8")
    return 1 if any(each["lost"] for each in results) else 0


if __name__ == "__main__":
    sys.exit(main())
