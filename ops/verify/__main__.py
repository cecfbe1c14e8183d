"""Asks AWS what only AWS can answer, prints one page of answers, and runs the end-to-end suite.

`python -m ops.verify --env NAME [--only ID ...] [-- PYTEST ARGUMENTS]`. First the end-to-end suite runs against the
environment: it creates test users, exchanges messages and calls between them, and deletes the users; their messages
remain. Then the questions are asked. What a question creates it deletes again, also after a failure or Ctrl-C. With
`--only`, `--no-suite` or `--env local` the suite does not run; `--env local` is a dry run on the running local cloud.

Exit status: 0 every answer is as assumed or could not be asked; 1 the command or the suite failed; 3 an answer differs.
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from ops.errors import CommandError
from ops.verify import catalogue
from ops.verify.asking import ask_all
from ops.verify.connecting import connect
from ops.verify.deployment import Waiting
from ops.verify.events_questions import assumption_ids
from ops.verify.page import Page, as_json, as_markdown, as_text
from ops.verify.question import Answer, Question, State
from ops.verify.suite import CREATING
from stacks.config.fields import LOCAL, Environment
from stacks.config.load import SettingsError, load

STATUS_DIFFERS: Final = 3
Confirm = Callable[[str], str]


def check(environment: Environment, variables: Mapping[str, str]) -> None:
    """Check that the environment may be tested: a protected one requires confirmation, as test messages remain in it.

    Raises:
        CommandError: the environment must not be tested; the message says why and what to do.
    """
    name = environment.name
    if environment.protected and variables.get("CONFIRM") != name:
        raise CommandError(
            f"Verifying {name} requires confirmation, because test messages remain in it: add CONFIRM={name}."
        )


def announcement(questions: Sequence[Question]) -> str:
    """Return what asking creates, costs and takes; empty if nothing is created and nothing costs."""
    creating = [each for each in questions if each.creates]
    cost = sum(each.cost for each in questions)
    if not creating and not cost:
        return ""
    created = dict.fromkeys(each.creates for each in creating)
    return (
        f"{len(questions)} questions. They create and delete again: {'; '.join(created) or 'nothing'}. "
        f"They cost about {cost:.2f} $ and take about {max(each.minutes for each in questions):.0f} minutes."
    )


def confirm(questions: Sequence[Question], agreed: bool, read: Confirm) -> None:
    """Ask the operator to confirm what asking creates and costs.

    Args:
        questions: the questions that will be asked.
        agreed: whether the operator has already agreed (`--yes`).
        read: shows a text and returns the operator's input.

    Raises:
        CommandError: the operator did not agree, or there is no terminal to ask on.
    """
    text = announcement(questions)
    if not text or agreed:
        print(text, end="\n" if text else "", file=sys.stderr)
        return
    try:
        entered = read(f"{text} Continue? [y/N] ")
    except EOFError as error:
        raise CommandError(f"{text}\nThere is no terminal to confirm it: add --yes (make: YES=1)") from error
    if entered.strip().lower() not in ("y", "yes"):
        raise CommandError("Nothing was asked.")


def listing(questions: Sequence[Question]) -> str:
    """Return one line for each question."""
    width = max(len(each.id) for each in questions)
    return "\n".join(f"{each.id:<{width}}  {each.text}" for each in questions)


def _report(answer: Answer) -> None:
    print(f"→ {answer.question.id}: {answer.state}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ops.verify", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", help="name of the environment; `local` for a dry run on the running local cloud")
    parser.add_argument("--dry-run", action="store_true", help="the same as --env local")
    parser.add_argument("--list", action="store_true", help="print the questions and ask none")
    parser.add_argument("--only", nargs="+", default=(), metavar="ID", help="ask these; a final * matches any end")
    parser.add_argument("--no-suite", action="store_true", help="do not run the end-to-end suite first")
    parser.add_argument(
        "--no-create", action="store_true", help="create no stack, role, meeting or queue: ask and test the rest only"
    )
    parser.add_argument("--yes", action="store_true", help="agree to what asking creates and costs")
    parser.add_argument("--json", action="store_true", help="print the page as JSON")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="also write the page as Markdown")
    parser.add_argument(
        "--outputs-file", type=Path, help="read the outputs from this file of `cdk deploy --outputs-file`"
    )
    parser.add_argument("pytest", nargs="*", help="further arguments of the suite's pytest, after --")
    return parser


def run(chosen: argparse.Namespace, variables: Mapping[str, str], read: Confirm = input) -> int:
    """Run the command with parsed arguments and return its exit status.

    Raises:
        CommandError: nothing was asked; the message says why.
        SettingsError: the environment's file is invalid.
    """
    questions = catalogue.selected(chosen.only)
    if chosen.no_create:
        questions = [each for each in questions if not each.creates]
    if chosen.list:
        print(listing(questions))
        return 0
    name = LOCAL if chosen.dry_run else chosen.env
    if name is None:
        raise CommandError("Name the environment: --env NAME, or --dry-run for the running local cloud")
    environment = load(name)
    check(environment, variables)
    waiting = Waiting()
    deployment, suite = connect(environment, assumption_ids(questions), waiting, chosen.outputs_file)
    if not deployment.local:
        confirm(questions, chosen.yes, read)
    with_suite = not (chosen.only or chosen.no_suite or deployment.local)
    left_out = [argument for path in CREATING for argument in ("--ignore", path)] if chosen.no_create else []
    failed = suite.test([*left_out, *chosen.pytest]) != 0 if with_suite else False
    answers = ask_all(questions, deployment, waiting, _report)
    page = Page(name, deployment.region, datetime.datetime.now(datetime.UTC), answers)
    print(as_json(page) if chosen.json else as_text(page), end="")
    if chosen.markdown:
        chosen.markdown.write_text(as_markdown(page), encoding="utf-8")
    if failed:
        print("The end-to-end suite failed; its report is above.", file=sys.stderr)
        return 1
    return STATUS_DIFFERS if page.of(State.DIFFERS) else 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status; print the error and return 1 if it could not start."""
    try:
        return run(_parser().parse_args(arguments), os.environ)
    except (CommandError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
