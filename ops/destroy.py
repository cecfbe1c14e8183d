"""Deletes the stacks of a disposable environment: `python -m ops.destroy --env NAME`.

Prints what is deleted and what stays, asks for the environment's typed name, and deletes the stacks in the reverse
order of their deployment. Environments with protected data are refused: docs/how-to/deploy.md says how to remove one.

Exit status: 0 deleted; 1 refused, not confirmed or failed, with what to do.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from typing import Final

from ops import preflight
from ops.aws import explained_errors
from ops.change_report.comparison import RETAINED, text
from ops.confirmation import confirm
from ops.deploy.__main__ import tools_of
from ops.deploy.checks import check_account, check_settings
from ops.deploy.events import first_failure, last_operation
from ops.deploy.failures import explain
from ops.deploy.stack_states import StackState, State, busy_text, read_state
from ops.deploy.tools import Tools
from ops.errors import CommandError
from ops.preflight import DeployedStack
from stacks.config.fields import Environment
from stacks.config.load import SettingsError, load
from stacks.naming import Names

_NAMES: Final = ("TableName", "UserPoolName", "ClientName", "LogGroupName", "QueueName", "TopicName")


def staying(deployed: Mapping[str, DeployedStack]) -> Iterator[str]:
    """Yield the resources that outlive their stacks, with their type and stack."""
    for stack, each in deployed.items():
        for logical_id, resource in each.template.get("Resources", {}).items():
            if resource.get("DeletionPolicy") in RETAINED:
                properties = resource.get("Properties", {})
                name = next((text(properties[key]) for key in _NAMES if key in properties), logical_id)
                yield f"{name} ({resource['Type']}, {stack})"


def run(environment: Environment, tools: Tools, *, agreed: bool = False) -> None:
    """Delete the stacks of an environment.

    Args:
        environment: the environment.
        tools: access to AWS.
        agreed: whether the operator has agreed on the command line; enough only in an approved CI job.

    Raises:
        CommandError: the environment is protected, an operation is running, the operator did not confirm, or a deletion
            failed.
    """
    name = environment.name
    if environment.protected:
        raise CommandError(
            f"{name} has protected data and cannot be destroyed by this command. docs/how-to/deploy.md, *Remove an "
            "environment*, has the steps."
        )
    check_settings(environment)
    check_account(environment, tools.identify)
    client = tools.cloudformation
    with explained_errors():
        found = [read_state(Names(name).of(each), client) for each in reversed(preflight.STACKS)]
    existing = [each for each in found if each.state is not State.ABSENT]
    if busy := [each for each in existing if each.state is State.BUSY]:
        raise CommandError("\n".join(busy_text(each) for each in busy))
    if not existing:
        raise CommandError(f"{name} is not deployed: none of its stacks exists.")
    for each in existing:
        tools.progress.note(f"Deletes {each.name} ({each.status}), with all its data")
    kept = list(staying(preflight.read_deployed(name, client)))
    for resource in kept:
        tools.progress.note(f"Stays: {resource}")
    confirm("Destruction", name, typed=True, agreed=agreed, variables=tools.variables, read=tools.read)
    for each in existing:
        tools.progress.step(f"Deleting {each.name}")
        _delete(each, name, tools)
    queues = "An environment of the same name can be created 60 seconds later, because of its queues."
    tools.progress.step(f"Destroyed. {queues}" + (f" {len(kept)} resources stay; see above." if kept else ""))


def _delete(stack: StackState, environment: str, tools: Tools) -> None:
    client = tools.cloudformation
    with explained_errors():
        (described,) = client.describe_stacks(StackName=stack.name)["Stacks"]
        if stack.protected:
            client.update_termination_protection(StackName=stack.name, EnableTerminationProtection=False)
        client.delete_stack(StackName=stack.name)
    ended = tools.ended(described["StackId"])
    if ended.status not in ("", "DELETE_COMPLETE"):
        with explained_errors():
            failure = first_failure(last_operation(described["StackId"], client))
        raise CommandError(f"{stack.name} is {ended.status}.\n{explain(stack.name, environment, failure)}")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; print the error and return 1 if it failed."""
    parser = argparse.ArgumentParser(
        prog="python -m ops.destroy", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--env", required=True, help="name of the environment")
    parser.add_argument("--yes", action="store_true", help="confirm without asking; see python -m ops.deploy --help")
    chosen = parser.parse_args(arguments)
    try:
        environment = load(chosen.env)
        run(environment, tools_of(environment), agreed=chosen.yes)
    except (CommandError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
