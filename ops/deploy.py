"""Deploys one environment: `python -m ops.deploy --env NAME [--approve]`.

Synthesises the environment, shows its changes against the account, and deploys every stack with the CDK CLI. The CLI
asks for confirmation before it broadens IAM permissions; `--approve` skips the question, for a pipeline with its own
approval. Deploying prod requires CONFIRM=prod in the environment.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from typing import Final

from ops import cdk
from ops.errors import CommandError
from stacks.config.fields import LOCAL, Environment
from stacks.config.load import SettingsError, load

PRODUCTION: Final = "prod"

Step = Callable[[list[str]], int]


def check(environment: Environment, variables: Mapping[str, str]) -> None:
    """Check that the environment may be deployed.

    Args:
        environment: the environment to deploy.
        variables: the operator's environment variables.

    Raises:
        CommandError: the environment must not be deployed; the message says why and what to do.
    """
    name = environment.name
    if name == LOCAL:
        raise CommandError("The environment local cannot be deployed to AWS. Run it on this machine: make up")
    if name == PRODUCTION and variables.get("CONFIRM") != name:
        raise CommandError(
            f"Deploying {name} requires confirmation: add CONFIRM={name}. To review the changes: make diff ENV={name}"
        )
    if environment.protected and environment.operations.alarms and not environment.operations.alarm_recipients:
        raise CommandError(
            f"No recipient for the alarms of {name}: operations.alarm_recipients in environments/{name}.toml is empty; "
            "add at least one e-mail address."
        )


def deploy(environment: Environment, run: Step, *, approved: bool) -> int:
    """Show the changes and deploy; return the CLI's exit status.

    Args:
        environment: the environment to deploy; already synthesised.
        run: runs the CDK CLI with the operator's credentials.
        approved: broaden IAM permissions without asking.
    """
    assembly = cdk.ROOT / f"cdk.out.{environment.name}"
    if status := run(["diff", "--app", str(assembly), "--all"]):
        return status
    approval = "never" if approved else "broadening"
    outputs_file = assembly / "outputs.json"
    return run(
        ["deploy", "--app", str(assembly), "--all", "--require-approval", approval, "--outputs-file", str(outputs_file)]
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; print the error and return 1 if it failed."""
    parser = argparse.ArgumentParser(prog="python -m ops.deploy", description=__doc__)
    parser.add_argument("--env", required=True, help="name of the environment")
    parser.add_argument("--approve", action="store_true", help="broaden IAM permissions without asking")
    chosen = parser.parse_args(arguments)
    try:
        environment = load(chosen.env)
        check(environment, os.environ)
        print(f"→ Synthesising {environment.name}")
        cdk.synthesise(cdk.ROOT, environment.name, cdk.ROOT / f"cdk.out.{environment.name}")
        return deploy(environment, cdk.run, approved=chosen.approve)
    except (CommandError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
