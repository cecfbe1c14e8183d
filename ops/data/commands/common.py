"""What the commands share: their context, the confirmation, and the printed result."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ops.accounts import AccountControl, control
from ops.data.pace import Pace
from ops.data.table_access import TableAccess
from ops.errors import CommandError
from ops.outputs import StackOutputs
from stacks.config.fields import Data


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a command works with.

    Args:
        arguments: the parsed command line.
        live: the tables of the environment.
        stacks: the outputs of its stacks.
        pace: limits the writes and prints progress.
        ask: prints a question and returns the operator's answer.
        work: directory of the files of a job.
        accounts: the user pool; made from the outputs by default.
        settings: the environment's settings of data; read from its file by default.
    """

    arguments: argparse.Namespace
    live: TableAccess
    stacks: StackOutputs
    pace: Pace
    ask: Callable[[str], str]
    work: Path
    accounts: AccountControl | None = None
    settings: Data | None = None

    def user_pool(self) -> AccountControl:
        """Return the accounts of the environment."""
        return self.accounts or control(self.arguments.env, self.stacks)

    def confirm(self, what: str, answer: str) -> None:
        """Ask for a typed confirmation.

        Raises:
            CommandError: another answer was typed, or there is no terminal.
        """
        try:
            typed = self.ask(f"{what}\nType {answer} to continue: ")
        except EOFError:
            typed = ""
        if typed.strip() != answer:
            raise CommandError(f"Not confirmed; nothing was written. The answer must be {answer}.")


def show(context: Context, result: Mapping[str, Any], lines: Iterable[str]) -> None:
    """Print a result: as JSON with `--json`, else as lines."""
    if context.arguments.json:
        print(json.dumps(result, indent=2))
        return
    for line in lines:
        print(line)
