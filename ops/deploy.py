"""Deploys one environment: `python -m ops.deploy --env NAME [--approve]`.

Synthesises it, shows what changes in the account, and lets the CDK CLI deploy every stack. The CLI asks before it
grants anybody more rights; `--approve` answers for a pipeline that has asked already. Production asks for CONFIRM=prod.
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
from stacks.config.load import SettingsProblem, load

PRODUCTION: Final = "prod"

Step = Callable[[list[str]], int]


def check(environment: Environment, variables: Mapping[str, str]) -> None:
    """Refuse what nobody can have meant.

    Args:
        environment: what is to be deployed.
        variables: the caller's environment variables.

    Raises:
        CommandError: the environment must not be deployed like this; the message says why and what helps.
    """
    name = environment.name
    if name == LOCAL:
        raise CommandError("The environment local belongs to this machine. Run it: make up")
    if name == PRODUCTION and variables.get("CONFIRM") != name:
        raise CommandError(f"Deploying {name} needs your word. Look at make diff ENV={name}, then add CONFIRM={name}.")
    if environment.protected and environment.operations.alarms and not environment.operations.alarm_recipients:
        raise CommandError(
            f"Nobody would hear the alarms of {name}: operations.alarm_recipients in environments/{name}.toml is empty."
        )


def deploy(environment: Environment, run: Step, *, approved: bool) -> int:
    """Show the changes and deploy; return the CLI's exit status.

    Args:
        environment: what is to be deployed; already synthesised.
        run: runs the CDK CLI with the caller's credentials.
        approved: grant further rights without asking.
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
    """Run the command line; return 1 with the reason where it failed."""
    parser = argparse.ArgumentParser(prog="python -m ops.deploy", description=__doc__)
    parser.add_argument("--env", required=True, help="name of the environment")
    parser.add_argument("--approve", action="store_true", help="do not ask before rights are broadened")
    chosen = parser.parse_args(arguments)
    try:
        environment = load(chosen.env)
        check(environment, os.environ)
        print(f"→ Templates of {environment.name}")
        cdk.synthesise(cdk.ROOT, environment.name, cdk.ROOT / f"cdk.out.{environment.name}")
        return deploy(environment, cdk.run, approved=chosen.approve)
    except (CommandError, SettingsProblem) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
