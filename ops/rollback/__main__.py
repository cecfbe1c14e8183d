"""Goes back to the functions and channels of an older revision: `python -m ops.rollback --env NAME --to REVISION`.

Only the stacks Routes and Events go back, in this order; tables, user pool and alarms stay. The command synthesises the
older revision with its own tools, prints what going back changes, refuses if the older code cannot work with the data
that the deployed revision has stored, and deploys by the same steps as `ops.deploy`: confirmation, one change set per
stack, alarms, smoke test.

It refuses if the stored shapes are too new by their data version (contract/stored.py), if undelivered events have a
type that the older code does not know, if a queue with messages would be deleted, or if a table, index or export that
the older code needs is no longer deployed.

Exit status: 0 the environment is back and tested; 1 refused, not confirmed or failed, with the reasons; 3 it is back,
but the smoke test failed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ops import cdk, revision
from ops.change_report.comparison import Template
from ops.change_report.revisions import checkout_of
from ops.deploy.__main__ import tools_of
from ops.deploy.checks import check_account, check_settings
from ops.deploy.deployment import Options, SmokeTest, carry_out, prepare, report_text
from ops.deploy.smoke import smoke_test
from ops.deploy.tools import Tools
from ops.errors import CommandError
from ops.preflight import Plan
from ops.rollback.compatibility import missing_resources, stored_reasons, unknown_events
from ops.rollback.contracts import Stored, stored_by
from ops.rollback.pending import removed_queues, undelivered
from stacks.config.fields import Environment
from stacks.config.load import SettingsError, load
from stacks.naming import Names

STACKS: Final = ("Routes", "Events")
"""The stacks that go back. Routes first: newer functions must not publish to older channel handlers."""


def reasons_against(environment: str, plan: Plan, newer: Stored, older: Stored, tools: Tools) -> list[str]:
    """Return why the environment must not go back; empty if it may.

    Args:
        environment: name of the environment.
        plan: the deployed templates, and those of the older revision.
        newer, older: what the two revisions store.
        tools: access to AWS.

    Raises:
        CommandError: AWS refused a request or did not respond.
    """
    going = [Names(environment).of(each) for each in STACKS]
    before: Mapping[str, Template] = {name: plan.templates[name] for name in going if name in plan.templates}
    return [
        *stored_reasons(newer, older),
        *undelivered(environment, unknown_events(newer, older), tools.make_client),
        *removed_queues(before, plan.synthesised, tools.make_client),
        *missing_resources(plan.templates, plan.synthesised, going),
    ]


def deployed_revision(environment: str, plan: Plan) -> str:
    """Return the revision of the deployed Routes stack, without the mark of a changed checkout.

    Raises:
        CommandError: it is not deployed, or recorded no revision.
    """
    name = Names(environment).of("Routes")
    stack = plan.deployed.get(name)
    if stack is None:
        raise CommandError(f"{name} is not deployed, so there is nothing to go back from.")
    if stack.revision is None:
        raise CommandError(
            f"{name} recorded no revision, so what it has stored is unknown: it was not deployed by make deploy. "
            f"Deploy the present revision first: make deploy ENV={environment}"
        )
    return stack.revision.removesuffix("-dirty")


def run(environment: Environment, to: str, options: Options, tools: Tools, test: SmokeTest, root: Path) -> int:
    """Go back and return the exit status.

    Args:
        environment: the environment.
        to: the git revision to go back to.
        options: what the operator chose.
        tools: access to AWS.
        test: the smoke test.
        root: the checkout.

    Raises:
        CommandError: going back was refused or failed; the message says why and what to do.
    """
    check_settings(environment)
    tools.progress.step(f"Checking the identity for {environment.name}")
    check_account(environment, tools.identify)
    with (
        checkout_of(to, root, tools.progress.step) as checkout,
        tempfile.TemporaryDirectory(prefix="rollback-") as directory,
    ):
        head = revision.current(checkout)
        tools.progress.step(f"Synthesising {environment.name} at {head}")
        assembly = Path(directory) / "assembly"
        cdk.synthesise(checkout, environment.name, assembly, validate=False, revision=head)
        prepared = prepare(environment, assembly, options, tools)
        print(report_text(environment.name, prepared.plan, head), flush=True)
        deployed = deployed_revision(environment.name, prepared.plan)
        newer = stored_by(deployed, root)
        if revision.is_ancestor(root, deployed, to):
            raise CommandError(
                f"{to} is the deployed revision {deployed} or a newer one, so this is no way back. Deploy it from "
                f"its own checkout: make deploy ENV={environment.name}"
            )
        tools.progress.step(f"Comparing what {newer.revision} has stored with what {head} can read")
        if reasons := reasons_against(environment.name, prepared.plan, newer, stored_by(to, root), tools):
            lines = "\n".join(f"  {each}" for each in reasons)
            raise CommandError(f"{environment.name} cannot go back to {to}:\n{lines}\nMore: docs/how-to/go-back.md")
        status = carry_out(environment, assembly, options, tools, prepared, test)
    tools.progress.step(f"Back at {head}" if status == 0 else f"Back at {head}, but the smoke test failed")
    print(f"To go forward again, in a checkout of {newer.revision}: make deploy ENV={environment.name}")
    return status


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; print the error and return 1 if it failed."""
    parser = argparse.ArgumentParser(
        prog="python -m ops.rollback", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", required=True, help="name of the environment")
    parser.add_argument("--to", required=True, metavar="REVISION", help="git revision to go back to")
    parser.add_argument("--yes", action="store_true", help="confirm without asking; see python -m ops.deploy --help")
    chosen = parser.parse_args(arguments)
    options = Options(STACKS, chosen.yes, action=f"Going back to {chosen.to}")
    try:
        environment = load(chosen.env)
        return run(environment, chosen.to, options, tools_of(environment), smoke_test, cdk.ROOT)
    except (CommandError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
