"""The cut-over from the old Socket.IO server: `python -m ops.cutover check|backfill|status|verify --env NAME`.

`check` finds what would not migrate. `backfill` stores missing memberships and numbers; without `--apply` it only says
how many. `status` shows how much each side writes and how far it is behind. `verify` compares both sides.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from ops import aws
from ops.cutover import backfill, findings, stored, traffic
from ops.cutover.findings import Finding
from ops.errors import CommandError
from stacks.naming import OLD_SERVER_QUEUE, Names
from stacks.outputs import STACK_REGION

COMMANDS: Final = ("check", "backfill", "status", "verify")
_RATE: Final = 1_000
_FUNCTION: Final = "bridge"


class Services(msgspec.Struct, frozen=True):
    """The clients of one environment.

    Args:
        dynamodb, sqs: botocore clients.
        invoke: invokes the bridge function.
    """

    dynamodb: Any
    sqs: Any
    invoke: backfill.Invoke


def services(environment: str) -> Services:
    """Return the clients of a deployed environment, in the region of its stacks.

    Raises:
        CommandError: the environment is not deployed.
    """
    from ops import outputs  # here, since tests bring their own clients

    stacks = outputs.read_stacks(environment, outputs.cloudformation)
    region = outputs.value(STACK_REGION, environment, stacks)
    function = Names(environment).of(_FUNCTION)
    return Services(
        aws.client("dynamodb", region),
        aws.client("sqs", region),
        backfill.invocation(aws.client("lambda", region), function),
    )


def queued(sqs: Any, environment: str) -> int | None:
    """Return how many messages the old server has not emitted yet; None where there is no bridge."""
    try:
        url = sqs.get_queue_url(QueueName=f"{Names(environment).of(OLD_SERVER_QUEUE)}.fifo")["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        return None
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))["Attributes"]
    return sum(int(found[each]) for each in names)


def run(chosen: argparse.Namespace, used: Services, progress: Callable[[str, int], None]) -> tuple[Any, str, int]:
    """Run one command; return its result for machines and for people, and the exit code.

    Raises:
        CommandError: the bridge function failed.
    """
    found = stored.read(used.dynamodb, chosen.env, rate=chosen.rate, progress=progress)
    match chosen.command:
        case "check":
            return _listed(findings.check(found), "Everything migrates.", ignored=chosen.before_backfill)
        case "verify":
            waiting = queued(used.sqs, chosen.env) or 0
            return _listed(findings.verify(found, waiting), "Both sides are equal.")
        case "status":
            since = datetime.now(UTC) - timedelta(hours=chosen.hours)
            date = since.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            figures = traffic.traffic(found, date, queued(used.sqs, chosen.env), chosen.percent)
            return figures, figures.text(), 1 if figures.behind() else 0
    plan = {
        "conversations": sum(len(each.get("conversations", ())) for each in backfill.requests(found)),
        "messages": sum(len(each.get("messages", ())) for each in backfill.requests(found)),
    }
    text = f"{plan['conversations']} conversations lack memberships, {plan['messages']} messages lack a number."
    if not chosen.apply:
        return plan, f"{text} Repeat with --apply to store them.", 0
    done = backfill.run(found, used.invoke, rate=chosen.rate, progress=progress)
    return done, f"{text} Done: {', '.join(f'{count} {name}' for name, count in done.items()) or 'nothing'}.", 0


def _listed(found: list[Finding], good: str, *, ignored: bool = False) -> tuple[Any, str, int]:
    left = [each for each in found if not (ignored and each.by_backfill)]
    return found, "\n".join(each.text() for each in found) or good, 1 if left else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ops.cutover",
        description=(__doc__ or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="exit codes: 0 nothing found, 1 something found or behind, 2 the command failed",
    )
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("--env", required=True, help="name of the environment")
    parser.add_argument("--rate", type=int, default=_RATE, help="most items per second that are read or written")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--apply", action="store_true", help="backfill: store, instead of only counting")
    parser.add_argument("--before-backfill", action="store_true", help="check: exit with 0 if backfill corrects all")
    parser.add_argument("--hours", type=float, default=24, help="status: count the messages of this time")
    parser.add_argument("--percent", type=float, default=0, help="status: the share of users on the new client")
    return parser


def main(
    arguments: list[str] | None = None,
    make_services: Callable[[str], Services] = services,
) -> int:
    """Run the command; return the exit code: 0, 1 where something was found, 2 on errors."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if chosen.rate < 1 or not 0 <= chosen.percent <= 100 or chosen.hours <= 0:
        parser.error("--rate must be at least 1, --percent from 0 to 100, --hours above 0")
    try:
        with aws.explained_errors():
            result, text, code = run(chosen, make_services(chosen.env), _progress)
    except CommandError as error:
        print(error, file=sys.stderr)
        return 2
    print(msgspec.json.format(msgspec.json.encode(result)).decode() if chosen.json else text)
    return code


def _progress(what: str, count: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{what}: {count}", end="\n" if not count else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
