"""Connects to a deployed environment: AWS with the operator's credentials, or a running local cloud."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from ops import aws
from ops.cdk import ROOT
from ops.errors import CommandError
from ops.outputs import environment_file, read_file, read_stacks
from ops.verify.deployment import Deployment, Waiting
from ops.verify.suite import Suite
from stacks import outputs
from stacks.config.fields import LOCAL, Environment

_CONFIG: Final = Config(connect_timeout=5, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 3})
_LOCAL_SECONDS: Final = 30
_KEY: Final = "AWS_ACCESS_KEY_ID"
_SECRET: Final = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a variable
_TOKEN: Final = "AWS_SESSION_TOKEN"  # noqa: S105


@dataclass(frozen=True)
class Access:
    """Access to an account.

    Args:
        region: the region of the stacks.
        keys: the operator's credentials as environment variables.
        endpoint: the address of a local cloud's services; None for AWS.
    """

    region: str
    keys: Mapping[str, str]
    endpoint: str | None = None

    def client(self, service: str) -> Any:
        """Create a client with the operator's credentials."""
        return self.client_as(service, (self.keys[_KEY], self.keys[_SECRET], self.keys.get(_TOKEN, "")))

    def client_as(self, service: str, keys: tuple[str, str, str]) -> Any:
        """Create a client with other credentials: access key, secret, session token."""
        key, secret, token = keys
        return botocore.session.get_session().create_client(
            service,
            region_name=self.region,
            endpoint_url=self.endpoint,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token or None,
            config=_CONFIG,
        )

    def sign(self, url: str, body: bytes) -> Mapping[str, str]:
        """Return the headers of a signed POST to the Event API."""
        signer = Credentials(self.keys[_KEY], self.keys[_SECRET], self.keys.get(_TOKEN))
        signed = AWSRequest("POST", url, data=body, headers={"content-type": "application/json"})
        SigV4Auth(signer, "appsync", self.region).add_auth(signed)
        return dict(signed.headers.items())

    @property
    def variables(self) -> dict[str, str]:
        """Return the environment variables of a process with this access."""
        return {**self.keys, **({"AWS_ENDPOINT_URL": self.endpoint} if self.endpoint else {})}


def connect(
    environment: Environment, assumptions: Sequence[str], waiting: Waiting, outputs_file: Path | None = None
) -> tuple[Deployment, Suite]:
    """Return the deployment of an environment, and the end-to-end suite against it.

    Args:
        environment: its settings; `local` is the running local cloud.
        assumptions: the assumptions that the suite asks about.
        waiting: waits for the questions.
        outputs_file: read the outputs from this file instead of AWS or the running local cloud.

    Raises:
        CommandError: it is not deployed, or there are no credentials.
    """
    local = environment.name == LOCAL
    return (_connect_local if local else _connect_aws)(environment, assumptions, waiting, outputs_file)


def _connect_aws(
    environment: Environment, assumptions: Sequence[str], waiting: Waiting, outputs_file: Path | None
) -> tuple[Deployment, Suite]:
    region = environment.aws.region if environment.aws.pinned else None
    stacks = (
        read_file(outputs_file)
        if outputs_file
        else read_stacks(environment.name, lambda: aws.client("cloudformation", region))
    )
    environment_file(environment.name, stacks)
    found = stacks[outputs.STACK_REGION.stack_name(environment.name)][outputs.STACK_REGION.id]
    access = Access(found, aws.operator_keys())
    suite = Suite(stacks, access.variables, assumptions)
    api = stacks[outputs.API_ADDRESS.stack_name(environment.name)][outputs.API_ADDRESS.id]
    return _deployment(environment, stacks, api, access, waiting, suite), suite


def _connect_local(
    environment: Environment, assumptions: Sequence[str], waiting: Waiting, outputs_file: Path | None
) -> tuple[Deployment, Suite]:
    if outputs_file:
        document, keys = dict(read_file(outputs_file)), aws.operator_keys()
    else:
        document, keys = _local_command("outputs"), _local_command("credentials")
    access = Access(str(document["region"]), keys, str(document["awsEndpoint"]))
    suite = Suite(document, access.variables, assumptions)
    return _deployment(environment, document["stacks"], str(document["apiUrl"]), access, waiting, suite), suite


def _deployment(
    environment: Environment, stacks: Any, api: str, access: Access, waiting: Waiting, suite: Suite
) -> Deployment:
    return Deployment(
        environment=environment,
        outputs=stacks,
        region=access.region,
        api_url=api.rstrip("/"),
        local=access.endpoint is not None,
        make_client=access.client,
        make_client_as=access.client_as,
        suite=suite,
        pause=waiting.pause,
        sign=access.sign,
    )


def _local_command(name: str, run: Callable[..., Any] = subprocess.run) -> dict[str, Any]:
    finished = run(
        [sys.executable, "-m", "local", name], cwd=ROOT, capture_output=True, text=True, timeout=_LOCAL_SECONDS
    )
    if finished.returncode != 0:
        cause = finished.stderr.strip().splitlines()
        raise CommandError(f"No local cloud is running ({cause[-1] if cause else 'no outputs'}). Start it: make up")
    document: dict[str, Any] = json.loads(finished.stdout)
    return document
