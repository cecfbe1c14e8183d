"""Addresses and ids of a deployed local cloud, as clients and tests need them."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.emulator.settings import DEFAULT_REGION
from local.processes.ports import Ports
from local.steps import StepError

_EXECUTE_API = re.compile(r"^https?://([a-z0-9]+)\.execute-api\.")
StackOutputs = dict[str, dict[str, str]]


@dataclass(frozen=True)
class CloudOutputs:
    """Everything a client needs.

    Attributes:
        region: region of every resource.
        userPoolId: Cognito user pool.
        userPoolClientId: its app client.
        userPoolEndpoint: base address in place of `https://cognito-idp.<region>.amazonaws.com`.
        apiUrl: base address of the HTTP API, without a slash at the end.
        eventsHttpEndpoint: where events are published by HTTP.
        eventsRealtimeEndpoint: where sockets are opened.
        eventsHost: the `host` that goes into the authorization subprotocol.
        amplifyEventsEndpoint: the same HTTP endpoint in the spelling with which Amplify keeps to plain `ws://`.
        awsEndpoint: the emulator, for AWS SDKs (`AWS_ENDPOINT_URL`).
        webUrl: the web page.
        stacks: raw outputs of every stack by name.
    """

    region: str
    userPoolId: str  # noqa: N815 - the names are those of the JSON that clients read
    userPoolClientId: str  # noqa: N815
    userPoolEndpoint: str  # noqa: N815
    apiUrl: str  # noqa: N815
    eventsHttpEndpoint: str  # noqa: N815
    eventsRealtimeEndpoint: str  # noqa: N815
    eventsHost: str  # noqa: N815
    amplifyEventsEndpoint: str  # noqa: N815
    awsEndpoint: str  # noqa: N815
    webUrl: str  # noqa: N815
    stacks: StackOutputs

    def as_dict(self) -> dict[str, Any]:
        """The outputs as a JSON object."""
        return asdict(self)


def read_outputs(path: Path, ports: Ports) -> CloudOutputs:
    """Read the stack outputs that the CDK CLI wrote, and translate them into local addresses.

    Args:
        path: the CLI's outputs file.
        ports: ports of the local cloud.

    Raises:
        StepError: an output that clients need is missing.
    """
    stacks: StackOutputs = json.loads(path.read_text(encoding="utf-8"))
    endpoint = _value(stacks, "EventsHttpEndpoint")
    host = urlsplit(endpoint).netloc
    return CloudOutputs(
        region=DEFAULT_REGION,
        userPoolId=_value(stacks, "UserPoolId"),
        userPoolClientId=_value(stacks, "UserPoolClientId"),
        userPoolEndpoint=f"http://localhost:{ports.emulator}",
        apiUrl=f"http://localhost:{ports.emulator}/_aws/execute-api/{_http_api_id(stacks)}/$default",
        eventsHttpEndpoint=f"http://{host}/event",
        eventsRealtimeEndpoint=f"ws://{host}/event/realtime",
        eventsHost=host,
        amplifyEventsEndpoint=f"HTTP://{host}/event",
        awsEndpoint=f"http://localhost:{ports.emulator}",
        webUrl=ports.web_url,
        stacks=stacks,
    )


def _http_api_id(stacks: StackOutputs) -> str:
    """Id of the HTTP API, read from its address.

    The address itself has a host name below `execute-api.localhost`, which browsers resolve and most programs do
    not; the emulator also answers to a path that holds the id.
    """
    for outputs in stacks.values():
        for value in outputs.values():
            found = _EXECUTE_API.match(value)
            if found:
                return found.group(1)
    raise _missing("the address of the HTTP API", stacks)


def _value(stacks: StackOutputs, name: str) -> str:
    for outputs in stacks.values():
        if name in outputs:
            return outputs[name]
    raise _missing(name, stacks)


def _missing(what: str, stacks: StackOutputs) -> StepError:
    present = ", ".join(sorted(name for outputs in stacks.values() for name in outputs)) or "none"
    return StepError(f"no stack has the output {what}", f"outputs that exist: {present}; add it to its stack")
