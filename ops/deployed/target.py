"""The environment that an operator command looks at: on AWS, or the running local cloud."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from ops import aws
from ops.cdk import ROOT
from ops.deployed.stacks import Deployed, read_deployed
from ops.errors import CommandError
from ops.verify.connecting import Access
from stacks.config.fields import LOCAL, Environment
from stacks.naming import Names
from stacks.outputs import Output

_LOCAL_SECONDS: Final = 30
Local = Mapping[str, Any]
"""The document of `python -m local outputs`."""


@dataclass
class Target:
    """One environment.

    Args:
        environment: its settings.
        region: region of the stacks.
        create_client: creates a botocore client: service, region.
        credentials: the operator's credentials as environment variables.
        local: addresses of the local cloud; None for AWS.
    """

    environment: Environment
    region: str
    create_client: Callable[[str, str], Any]
    credentials: Mapping[str, str]
    local: Local | None = None
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    _answers: dict[str, Any] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.RLock)

    @property
    def names(self) -> Names:
        """Return the physical names of the environment."""
        return Names(self.environment.name)

    def client(self, service: str, region: str | None = None) -> Any:
        """Return the client of a service; without a region, in the region of the stacks."""
        key = (service, region or self.region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self.create_client(*key)
            return self._clients[key]

    def read(self, service: str, operation: str, *, region: str | None = None, **parameters: Any) -> Any:
        """Return the response to one request; a repeated request of this run is not sent again.

        Raises:
            botocore.exceptions.ClientError: AWS refused the request.
        """
        key = json.dumps([service, operation, region, parameters], sort_keys=True, default=str)
        with self._lock:
            if key not in self._answers:
                self._answers[key] = getattr(self.client(service, region), operation)(**parameters)
            return self._answers[key]

    def read_all(self, service: str, operation: str, key: str, **parameters: Any) -> list[Any]:
        """Return the list `key` of every page of a response.

        Raises:
            botocore.exceptions.ClientError: AWS refused a request.
        """
        client = self.client(service)
        if not client.can_paginate(operation):
            listed: list[Any] = self.read(service, operation, **parameters).get(key, [])
            return listed
        name = json.dumps([service, operation, key, parameters], sort_keys=True, default=str)
        with self._lock:
            if name not in self._answers:
                pages = client.get_paginator(operation).paginate(**parameters)
                self._answers[name] = [item for page in pages for item in page.get(key, [])]
            found: list[Any] = self._answers[name]
            return found

    @cached_property
    def deployed(self) -> Deployed:
        """Return the deployed stacks.

        Raises:
            botocore.exceptions.ClientError: AWS refused a request.
        """
        return read_deployed(self.names, self.client("cloudformation"), self.region, self.account)

    @cached_property
    def account(self) -> str:
        """Return the account of the operator's credentials."""
        return str(self.read("sts", "get_caller_identity")["Account"])

    def output(self, output: Output) -> str | None:
        """Return an output of the deployed stacks; None if there is none."""
        stack = self.deployed.stacks.get(output.stack_name(self.environment.name))
        return stack.outputs.get(output.id) if stack else None

    def address(self, output: Output, local: str) -> str | None:
        """Return an address: of the local cloud by its name in `python -m local outputs`, otherwise an output."""
        found = self.local[local] if self.local is not None else self.output(output)
        return found.rstrip("/") if found else None


def connect(environment: Environment, read_local: Callable[[str], dict[str, Any]] | None = None) -> Target:
    """Return the target of an environment.

    Args:
        environment: its settings; `local` is the running local cloud.
        read_local: returns what `python -m local NAME` prints.

    Raises:
        CommandError: no local cloud is running, or there is no region.
    """
    if environment.name == LOCAL:
        read = read_local or local_command
        document, keys = read("outputs"), read("credentials")
        return local_target(environment, document, keys)
    keys = aws.operator_keys()
    region = environment.aws.region if environment.aws.pinned else aws.operator_region()
    if region is None:
        raise CommandError(f"The region of {environment.name} is unknown: set AWS_REGION.")
    return Target(environment, region, lambda service, where: Access(where, keys).client(service), keys)


def local_target(environment: Environment, document: Local, keys: Mapping[str, str]) -> Target:
    """Return the target of a local cloud with these outputs and operator's credentials."""
    endpoint, region = str(document["awsEndpoint"]), str(document["region"])
    return Target(
        environment, region, lambda service, where: Access(where, keys, endpoint).client(service), keys, document
    )


def local_command(name: str) -> dict[str, Any]:
    """Return what `python -m local NAME` prints.

    Raises:
        CommandError: nothing is deployed on this machine.
    """
    finished = subprocess.run(
        [sys.executable, "-m", "local", name], cwd=ROOT, capture_output=True, text=True, timeout=_LOCAL_SECONDS
    )
    if finished.returncode != 0:
        cause = finished.stderr.strip().splitlines()
        raise CommandError(f"No local cloud is running ({cause[-1] if cause else 'no outputs'}). Start it: make up")
    document: dict[str, Any] = json.loads(finished.stdout)
    return document
