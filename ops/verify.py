"""Runs the end-to-end suite against a deployed environment: `python -m ops.verify --env NAME [-- PYTEST ARGUMENTS]`.

The suite signs up users of its own, lets them talk, and deletes the users; what they wrote stays behind. It also
deploys a stack `events-conformance-...` with an Event API of its own, talks to it, and deletes it. Tests that break
things run against the local cloud only, and are left out here.
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
from stacks.config.load import SettingsProblem, load


def check(environment: Environment, variables: Mapping[str, str]) -> None:
    """Refuse to leave test users where real ones are, unless somebody says so.

    Raises:
        CommandError: the environment must not be tested like this; the message says why and what helps.
    """
    name = environment.name
    if name == LOCAL:
        raise CommandError("The environment local belongs to this machine. Test it: make test")
    if environment.protected and variables.get("CONFIRM") != name:
        raise CommandError(f"The suite leaves test messages in {name}. If that is all right, add CONFIRM={name}.")


def command(target: Path, arguments: list[str]) -> list[str]:
    """Return the command that runs the suite, with the network that tests otherwise do not have."""
    suite = [sys.executable, "-m", "pytest", "tests/e2e", "--target", str(target)]
    return [*suite, "--force-enable-socket", *arguments]


def verify(environment: Environment, stacks: StackOutputs, arguments: list[str]) -> int:
    """Run the suite and return its exit status.

    Args:
        environment: what is tested.
        stacks: its stacks' outputs.
        arguments: further arguments of pytest.

    Raises:
        CommandError: a stack or an output is missing.
    """
    environment_file(environment.name, stacks)
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        target = Path(folder) / f"{environment.name}.json"
        target.write_text(json.dumps(stacks), encoding="utf-8")
        return subprocess.run(command(target, arguments), cwd=ROOT).returncode


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the suite's status, or 1 with the reason where it could not start."""
    parser = argparse.ArgumentParser(prog="python -m ops.verify", description=__doc__)
    parser.add_argument("--env", required=True, help="name of the environment")
    parser.add_argument("--outputs-file", type=Path, help="file that `cdk deploy --outputs-file` wrote")
    parser.add_argument("pytest", nargs="*", help="further arguments of pytest, after --")
    chosen = parser.parse_args(arguments)
    try:
        environment = load(chosen.env)
        check(environment, os.environ)
        file = chosen.outputs_file
        stacks = read_file(file) if file else read_stacks(environment.name, cloudformation)
        return verify(environment, stacks, chosen.pytest)
    except (CommandError, SettingsProblem) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
