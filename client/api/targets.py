"""The addresses and ids of an environment, read from one of three forms:

- the JSON of `python -m local outputs` (a local cloud),
- the JSON of `cdk deploy --outputs-file` (stack name to outputs),
- the front end's environment file (`NAME=value` lines), which `make outputs` writes.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appsync_events import Endpoint

from client.errors import TargetError

LOCAL = "local"
_OUTPUTS_TIMEOUT_SECONDS = 15.0

# Every name that a source may use for a field; compared without case, dashes and underscores.
_NAMES: dict[str, tuple[str, ...]] = {
    "api_url": ("apiUrl", "ApiAddress", "ApiEndpoint", "NEXT_PUBLIC_API_URL"),
    "events_http_url": (
        "eventsHttpEndpoint",
        "eventsHttpUrl",
        "EventsHttpEndpoint",
        "HttpEndpoint",
        "NEXT_PUBLIC_APPSYNC_EVENT_HTTP_ENDPOINT",
    ),
    "events_realtime_url": (
        "eventsRealtimeEndpoint",
        "eventsRealtimeUrl",
        "RealtimeEndpoint",
        "NEXT_PUBLIC_APPSYNC_REALTIME_ENDPOINT",
    ),
    "region": ("region", "NEXT_PUBLIC_AWS_REGION"),
    "user_pool_id": ("userPoolId", "NEXT_PUBLIC_COGNITO_USER_POOL_ID"),
    "client_id": ("userPoolClientId", "clientId", "NEXT_PUBLIC_COGNITO_CLIENT_ID"),
    "cognito_endpoint": ("userPoolEndpoint", "cognitoEndpoint", "NEXT_PUBLIC_COGNITO_ENDPOINT"),
}
_OPTIONAL = frozenset({"cognito_endpoint", "region"})


@dataclass(frozen=True)
class DemoUser:
    """A user with a known password that the local cloud creates."""

    email: str
    name: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Target:
    """One environment.

    Args:
        api_url: address of the HTTP API, without a slash at its end; routes are appended.
        events_http_url: where events are published, `https://host/event`.
        events_realtime_url: the socket's address, `wss://host/event/realtime`.
        region: AWS region.
        user_pool_id, client_id: Cognito user pool and its app client.
        cognito_endpoint: address of Cognito; absent for AWS's own.
        demo_users: users with known passwords, in the order of `--user 1|2`; empty on deployed environments.
    """

    api_url: str
    events_http_url: str
    events_realtime_url: str
    region: str
    user_pool_id: str
    client_id: str
    cognito_endpoint: str | None = None
    demo_users: tuple[DemoUser, ...] = ()

    @property
    def local(self) -> bool:
        """Whether this is a local cloud rather than a deployed environment."""
        return self.cognito_endpoint is not None

    @property
    def cognito_url(self) -> str:
        """The address that Cognito's API calls go to."""
        return self.cognito_endpoint or f"https://cognito-idp.{self.region}.amazonaws.com"

    @property
    def events(self) -> Endpoint:
        """The Event API's addresses."""
        return Endpoint(self.events_http_url, self.events_realtime_url)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], source: str) -> Target:
        """Build a target from flat names and values.

        Args:
            values: any of the known names; others are ignored.
            source: name of the source, for error messages.

        Raises:
            TargetError: a value is missing; the message names every missing one.
        """
        folded = {_fold(name): value for name, value in values.items()}
        found: dict[str, str] = {}
        missing: list[str] = []
        for name, aliases in _NAMES.items():
            value = next((folded[key] for alias in aliases if (key := _fold(alias)) in folded), None)
            if isinstance(value, str) and value:
                found[name] = value.rstrip("/")
            elif name not in _OPTIONAL:
                missing.append(" or ".join(aliases))
        if missing:
            raise TargetError(
                f"missing in {source}: {'; '.join(missing)}. Write it again: make outputs ENV=…, or make up"
            )
        # A pool's id begins with its region (Amazon Cognito: user pool ids).
        region = found.setdefault("region", found["user_pool_id"].split("_", 1)[0])
        if not region:
            raise TargetError(f"{source}: {found['user_pool_id']!r} is not a user pool id")
        users = tuple(
            DemoUser(
                email=str(user["email"]),
                name=str(user.get("name") or f"{user['given_name']} {user['family_name']}"),
                password=str(user["password"]),
            )
            for user in folded.get("demousers") or ()
        )
        return cls(**found, demo_users=users)


def _fold(name: str) -> str:
    return name.replace("_", "").replace("-", "").casefold()


def _environment_file(text: str) -> dict[str, str]:
    lines = (line.strip().removeprefix("export ") for line in text.splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def flattened(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a nested document as one mapping; an outer value wins over an inner one of the same name."""
    nested: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for name, value in document.items():
        if isinstance(value, Mapping):
            nested |= flattened(value)
        else:
            own[name] = value
    return nested | own


def read(path: Path) -> Target:
    """Read a target from a file in any of the known forms.

    Raises:
        TargetError: the file cannot be read, or a value is missing.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise TargetError(f"{path} cannot be read: {error.strerror}") from error
    return parse(text, str(path))


def parse(text: str, source: str) -> Target:
    """Read a target from text in any of the known forms; `source` names it in error messages.

    Raises:
        TargetError: the text has none of the forms, or a value is missing.
    """
    if not text.lstrip().startswith("{"):
        return Target.from_mapping(_environment_file(text), source)
    try:
        document = json.loads(text)
    except ValueError as error:
        raise TargetError(f"{source} is neither JSON nor an environment file: {error}") from error
    return Target.from_mapping(flattened(document), source)


async def find(name: str = LOCAL) -> Target:
    """Return the target that a command line names: the path of a file, or `local` for the running local cloud.

    Raises:
        TargetError: the file does not exist, or no local cloud is running.
    """
    if name != LOCAL:
        return await asyncio.to_thread(read, Path(name))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "local",
        "outputs",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, complaint = await asyncio.wait_for(process.communicate(), _OUTPUTS_TIMEOUT_SECONDS)
    except TimeoutError as error:
        process.kill()  # asyncio reaps it; up to Python 3.12 a wait would last as long as its children live
        raise TargetError("timed out reading the outputs of the local cloud. Restart it: make up") from error
    if process.returncode != 0:
        cause = complaint.decode(errors="replace").strip().splitlines()
        raise TargetError(f"no local cloud is running ({cause[-1] if cause else 'no outputs'}). Start it: make up")
    return parse(output.decode(), "the local cloud's outputs")
