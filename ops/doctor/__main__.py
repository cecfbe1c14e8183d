"""Checks a deployed environment and names the cause of a fault: `python -m ops.doctor --env NAME`.

`--env local` looks at the running local cloud. The checks only read, except that those which sign in create one
temporary user in the user pool and delete it at the end; `--read-only` leaves them out. In an environment with
protected data they run only with CONFIRM=NAME in the environment variables.

Exit status: 0 no check failed (there may be warnings); 1 a check failed; 2 the command could not run.
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from botocore.exceptions import ClientError

from ops.deployed.target import Target, connect
from ops.doctor.catalogue import CHECKS, selected
from ops.doctor.check import Result
from ops.doctor.examination import Examination, Question
from ops.doctor.report import Report, as_json, as_text
from ops.doctor.running import exit_status, run
from ops.errors import CommandError
from stacks.config.fields import Environment
from stacks.config.load import SettingsError, load

STATUS_NOT_RUN = 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ops.doctor", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", help="name of the environment; `local` for the running local cloud")
    parser.add_argument("--list", action="store_true", help="print the checks and make none")
    parser.add_argument(
        "--only", nargs="+", default=(), metavar="ID", help="make these checks and those that they need; D5: a group"
    )
    parser.add_argument("--read-only", action="store_true", help="create no temporary user")
    parser.add_argument("--token-file", metavar="FILE", help="check the token in this file; - reads standard input")
    parser.add_argument("--channel", help="check a channel that a client subscribes to")
    parser.add_argument("--origin", help="check the origin of a page that cannot call the HTTP API")
    parser.add_argument("--verbose", action="store_true", help="also print the checks that passed or were not tried")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


def question_of(chosen: argparse.Namespace, environment: Environment, variables: Mapping[str, str]) -> Question:
    """Return what the operator asks about.

    Raises:
        CommandError: the file of the token cannot be read.
    """
    allowed = not environment.protected or variables.get("CONFIRM") == environment.name
    return Question(
        token=_token(chosen.token_file) if chosen.token_file else None,
        channel=chosen.channel,
        origin=chosen.origin,
        with_user=allowed and not chosen.read_only,
    )


def _token(file: str) -> str:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}. Check --token-file.") from error
    return text.strip().removeprefix("Bearer ").strip()


def examine(
    target: Target, question: Question, only: tuple[str, ...] | list[str] = (), *, progress: bool = False
) -> Report:
    """Make the checks and return the report.

    Args:
        target: the environment.
        question: what the operator asks about.
        only: ids of checks; empty for all.
        progress: print the id of each check to standard error.

    Raises:
        CommandError: an id is unknown.
    """
    checks = selected(only)
    examination = Examination(target, question)

    def report(result: Result) -> None:
        if progress:
            print(f"\r→ {result.check.id} {result.outcome:<10}", end="", file=sys.stderr, flush=True)

    try:
        results = run(checks, examination, report)
    finally:
        examination.close()
        if progress:
            print("\r" + " " * 20 + "\r", end="", file=sys.stderr, flush=True)
    return Report(target.environment.name, target.region, datetime.datetime.now(datetime.UTC), results)


def listing() -> str:
    """Return one line for each check."""
    return "\n".join(f"{check.id}  {check.title}" for check in sorted(CHECKS, key=lambda check: check.id))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.list:
            print(listing())
            return 0
        if chosen.env is None:
            raise CommandError("Name the environment: --env NAME")
        environment = load(chosen.env)
        question = question_of(chosen, environment, os.environ)
        report = examine(connect(environment), question, chosen.only, progress=sys.stderr.isatty())
    except (CommandError, SettingsError) as error:
        print(error, file=sys.stderr)
        return STATUS_NOT_RUN
    except ClientError as error:
        print(
            f"The temporary user could not be deleted: {error}. Delete the users doctor-… of the pool.", file=sys.stderr
        )
        return STATUS_NOT_RUN
    print(as_json(report) if chosen.json else as_text(report, verbose=chosen.verbose), end="")
    return exit_status(report.results)


if __name__ == "__main__":
    sys.exit(main())
