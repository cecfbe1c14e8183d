"""Writes the front end's environment file of a deployed environment: `python -m ops.outputs --env NAME`.

The values come from the deployed stacks, or from the file that `cdk deploy --outputs-file` wrote.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import botocore.exceptions
import botocore.session
from botocore.config import Config

from contract import tables
from ops.cdk import ROOT
from ops.errors import CommandError
from stacks import outputs
from stacks.outputs import Output

_NEEDED: Final = (
    outputs.USER_POOL_ID,
    outputs.CLIENT_ID,
    outputs.REGION,
    outputs.EVENTS_HTTP_ENDPOINT,
    outputs.EVENTS_REALTIME_ENDPOINT,
    outputs.API_ADDRESS,
)
_GUIDE_TABLES: Final = (tables.USERS, tables.CONVERSATIONS, tables.MESSAGES, tables.GROUPS, tables.CALLS)
_CLIENT: Final = Config(connect_timeout=5, read_timeout=15, retries={"mode": "standard", "total_max_attempts": 3})

StackOutputs = Mapping[str, Mapping[str, str]]
"""Stack name to its outputs, as `cdk deploy --outputs-file` writes them."""


def environment_file(environment: str, stacks: StackOutputs) -> str:
    """Return the front end's environment file.

    The names are those that the front end reads today; `NEXT_PUBLIC_API_URL` is new.

    Raises:
        CommandError: a stack or an output is missing.
    """
    values = {output: _value(output, environment, stacks) for output in _NEEDED}
    region = values[outputs.REGION]
    lines = {
        "NEXT_PUBLIC_COGNITO_USER_POOL_ID": values[outputs.USER_POOL_ID],
        "NEXT_PUBLIC_COGNITO_CLIENT_ID": values[outputs.CLIENT_ID],
        "NEXT_PUBLIC_APPSYNC_EVENT_HTTP_ENDPOINT": values[outputs.EVENTS_HTTP_ENDPOINT],
        "NEXT_PUBLIC_APPSYNC_REALTIME_ENDPOINT": values[outputs.EVENTS_REALTIME_ENDPOINT],
        "NEXT_PUBLIC_API_URL": values[outputs.API_ADDRESS],
        "NEXT_PUBLIC_AWS_REGION": region,
        "AWS_REGION": region,
        **{f"DYNAMODB_{table.setting}": table.name(environment) for table in _GUIDE_TABLES},
        "AWS_CHIME_REGION": region,
    }
    written = "".join(f"{name}={value}\n" for name, value in lines.items())
    return f"# The environment {environment}; written by: python -m ops.outputs --env {environment}\n{written}"


def _value(output: Output, environment: str, stacks: StackOutputs) -> str:
    name = output.stack_name(environment)
    if name not in stacks:
        raise CommandError(f"There are no outputs of {name}. Deploy it: make deploy ENV={environment}")
    if output.id not in stacks[name]:
        raise CommandError(f"{name} has no output {output.id} ({output.says}). Deploy this revision of the stacks.")
    return stacks[name][output.id]


def read_file(path: Path) -> StackOutputs:
    """Return the outputs in a file of `cdk deploy --outputs-file`.

    Raises:
        CommandError: there is no such file, or it is not JSON.
    """
    try:
        loaded: StackOutputs = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CommandError(f"{path} is not an outputs file of the CDK CLI: {error}") from error
    return loaded


def read_stacks(environment: str, make_client: Callable[[], Any]) -> StackOutputs:
    """Return the outputs of the deployed stacks.

    Args:
        environment: name of the environment.
        make_client: makes a botocore CloudFormation client.

    Raises:
        CommandError: a stack is not deployed, or AWS refuses or does not answer.
    """
    names = sorted({output.stack_name(environment) for output in _NEEDED})
    try:
        client = make_client()
        return {name: _described(client, name) for name in names}
    except botocore.exceptions.ClientError as error:
        if "does not exist" in str(error):
            raise CommandError(
                f"{environment} is not deployed here: {error}. Run: make deploy ENV={environment}"
            ) from error
        raise CommandError(f"AWS refused: {error}. Are these the credentials of {environment}'s account?") from error
    except botocore.exceptions.BotoCoreError as error:
        raise CommandError(f"AWS could not be asked: {error}. Check AWS_PROFILE, AWS_REGION and the network") from error


def _described(client: Any, name: str) -> dict[str, str]:
    (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def cloudformation() -> Any:
    """Return a botocore CloudFormation client on the caller's credentials and region."""
    return botocore.session.get_session().create_client("cloudformation", config=_CLIENT)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 1 with the reason where it failed."""
    parser = argparse.ArgumentParser(prog="python -m ops.outputs", description=__doc__)
    parser.add_argument("--env", required=True, help="name of the environment")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--outputs-file", type=Path, help="file that `cdk deploy --outputs-file` wrote")
    source.add_argument("--from-stacks", action="store_true", help="ask the deployed stacks (the default)")
    parser.add_argument("--write", type=Path, default=ROOT / ".env.local", help="file to write, - for standard output")
    chosen = parser.parse_args(arguments)
    try:
        read = read_file(chosen.outputs_file) if chosen.outputs_file else read_stacks(chosen.env, cloudformation)
        text = environment_file(chosen.env, read)
    except CommandError as error:
        print(error, file=sys.stderr)
        return 1
    if str(chosen.write) == "-":
        print(text, end="")
    else:
        chosen.write.write_text(text, encoding="utf-8")
        print(f"{chosen.write}: {len(text.splitlines()) - 1} variables of {chosen.env}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
