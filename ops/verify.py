"""Runs the end-to-end suite against a deployed environment: `python -m ops.verify --env NAME [-- PYTEST ARGUMENTS]`.

The suite signs up test users, exchanges messages and calls between them, and deletes the users; their messages remain.
It also deploys a stack `events-conformance-...` with its own Event API, tests it, and deletes it. Tests that inject
faults run against the local cloud only and are deselected.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ops.cdk import ROOT
from ops.errors import CommandError
from ops.outputs import StackOutputs, cloudformation, environment_file, read_file, read_stacks
from stacks.config.fields import LOCAL, Environment
from stacks.config.load import SettingsError, load


def check(environment: Environment, variables: Mapping[str, str]) -> None:
    """Check that the environment may be tested: a protected one requires confirmation, as test messages remain in it.

    Raises:
        CommandError: the environment must not be tested; the message says why and what to do.
    """
    name = environment.name
    if name == LOCAL:
        raise CommandError("The environment local is not deployed to AWS. Test it on this machine: make test")
    if environment.protected and variables.get("CONFIRM") != name:
        raise CommandError(
            f"Verifying {name} requires confirmation, because test messages remain in it: add CONFIRM={name}."
        )


def command(target: Path, arguments: list[str]) -> list[str]:
    """Return the pytest command of the suite; it enables the network, which pytest blocks by default here."""
    suite = [sys.executable, "-m", "pytest", "tests/e2e", "--target", str(target)]
    return [*suite, "--force-enable-socket", *arguments]


def verify(environment: Environment, stacks: StackOutputs, arguments: list[str]) -> int:
    """Run the suite and return its exit status.

    Args:
        environment: the environment to test.
        stacks: the outputs of its stacks.
        arguments: further arguments of pytest.

    Raises:
        CommandError: a stack or an output is missing.
    """
    environment_file(environment.name, stacks)
    with tempfile.TemporaryDirectory(prefix="verify-") as directory:
        target = Path(directory) / f"{environment.name}.json"
        target.write_text(json.dumps(stacks), encoding="utf-8")
        return subprocess.run(command(target, arguments), cwd=ROOT).returncode


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the suite's status, or print the error and return 1 if it could not start."""
    parser = argparse.ArgumentParser(prog="python -m ops.verify", description=__doc__)
    parser.add_argument("--env", required=True, help="name of the environment")
    parser.add_argument(
        "--outputs-file", type=Path, help="read the outputs from this file of `cdk deploy --outputs-file`"
    )
    parser.add_argument("pytest", nargs="*", help="further arguments of pytest, after --")
    chosen = parser.parse_args(arguments)
    try:
        environment = load(chosen.env)
        check(environment, os.environ)
        file = chosen.outputs_file
        stacks = read_file(file) if file else read_stacks(environment.name, cloudformation)
        return verify(environment, stacks, chosen.pytest)
    except (CommandError, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
