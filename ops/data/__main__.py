"""Care of stored data: `python -m ops.data restore|erase|replay|export|retention`.

Without --apply, a command only says what it would do.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Final

from handlers.core.shared.errors import ChatError, OutcomeUnknownError
from ops import aws, outputs
from ops.cdk import ROOT
from ops.data.commands import erasing, exporting, restoring, retaining
from ops.data.commands.common import Context
from ops.data.pace import Pace
from ops.data.table_access import TableAccess
from ops.errors import CommandError
from stacks.outputs import STACK_REGION

_COMMANDS: Final[Mapping[str, Callable[[Context], int]]] = {
    "restore": restoring.run,
    "erase": erasing.erase,
    "replay": erasing.replay,
    "export": exporting.run,
    "retention": retaining.run,
}


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--env", required=True, help="name of the environment")
    common.add_argument("--json", action="store_true", help="print the result as JSON")
    common.add_argument("--rate", type=_rate, default=50.0, help="most writes in a second (default: 50)")
    parser = argparse.ArgumentParser(
        prog="python -m ops.data",
        description=__doc__,
        epilog="Exit codes: 0 done, 1 the dry run or comparison found something to do, 2 error.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    restoring.add_arguments(commands, common)
    erasing.add_arguments(commands, common)
    exporting.add_arguments(commands, common)
    retaining.add_arguments(commands, common)
    return parser


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate <= 1000:
        raise argparse.ArgumentTypeError("must be above 0 and at most 1000")
    return rate


def _context(chosen: argparse.Namespace) -> Context:
    stacks = outputs.read_stacks(chosen.env, outputs.cloudformation)
    region = outputs.value(STACK_REGION, chosen.env, stacks)
    return Context(
        arguments=chosen,
        live=TableAccess(client=aws.client("dynamodb", region), environment=chosen.env),
        stacks=stacks,
        pace=Pace(chosen.rate),
        ask=input,
        work=ROOT / ".build" / "data",
    )


def main(arguments: list[str] | None = None, make_context: Callable[[argparse.Namespace], Context] = _context) -> int:
    """Run one command; return 0 when it is done, 1 where a dry run found something to do, 2 on errors."""
    chosen = _parser().parse_args(arguments)
    try:
        with aws.explained_errors():
            return _COMMANDS[chosen.command](make_context(chosen))
    except CommandError as error:
        print(error, file=sys.stderr)
        return 2
    except (ChatError, OutcomeUnknownError) as error:
        print(f"{error}. What is done stays done; run the command again to continue.", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
