"""The environment that gets the load: its addresses, and the operator's access to its user pool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from client.api import targets
from client.api.targets import Target
from ops.outputs import environment_file
from ops.verify.connecting import connect
from ops.verify.deployment import Waiting
from stacks.config.fields import Environment


async def environment_of(settings: Environment, outputs_file: Path | None) -> tuple[Target, Any]:
    """Return the addresses of an environment, and botocore's client of its user pool.

    Args:
        settings: the environment; `local` is the running local cloud.
        outputs_file: read the outputs from this file instead of AWS or the running local cloud.

    Raises:
        CommandError, TargetError: it is not deployed or not running, or there are no credentials.
    """
    deployment, _ = connect(settings, (), Waiting(), outputs_file)
    if outputs_file is not None:
        target = targets.read(outputs_file)
    elif deployment.local:
        target = await targets.find()
    else:
        target = targets.parse(environment_file(settings.name, deployment.outputs), "the outputs of the stacks")
    return target, deployment.make_client("cognito-idp")
