"""The temporary user of a run: created in the user pool, signed in as a client does, and deleted at the end."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from appsync_events import Endpoint

from client.api.cognito import Cognito
from client.api.targets import Target as ClientTarget
from client.errors import ClientError
from ops.deployed.target import Target
from ops.doctor.finding import NotTriedError
from stacks import outputs

PREFIX: Final = "doctor-"
_DOMAIN: Final = "example.invalid"
"""Mail to it is never delivered (RFC 2606)."""


@dataclass(frozen=True)
class Session:
    """The signed-in temporary user.

    Args:
        user_id: the `sub`.
        token: the access token.
    """

    user_id: str
    token: str = field(repr=False)


@dataclass
class TemporaryUser:
    """One account of the user pool for the time of a run.

    Args:
        target: the environment.
        pool, region: the user pool.
    """

    target: Target
    pool: str
    region: str
    username: str = ""

    def create(self) -> tuple[str, str, str]:
        """Create the account, and return its id, e-mail address and password. No e-mail is sent.

        Raises:
            botocore.exceptions.ClientError: Cognito refused.
        """
        email, password = f"{PREFIX}{uuid.uuid4().hex[:12]}@{_DOMAIN}", f"Aa1!{secrets.token_urlsafe(18)}"
        cognito = self.target.client("cognito-idp", self.region)
        attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
        created = cognito.admin_create_user(
            UserPoolId=self.pool, Username=email, MessageAction="SUPPRESS", UserAttributes=attributes
        )["User"]
        self.username = created["Username"]
        cognito.admin_set_user_password(UserPoolId=self.pool, Username=self.username, Password=password, Permanent=True)
        found = {each["Name"]: each["Value"] for each in created["Attributes"]}
        return found.get("sub", self.username), email, password

    def delete(self) -> None:
        """Delete the account, if it was created."""
        if self.username:
            self.target.client("cognito-idp", self.region).admin_delete_user(
                UserPoolId=self.pool, Username=self.username
            )
            self.username = ""


def client_target(target: Target) -> ClientTarget:
    """Return the addresses of an environment for the client library.

    Raises:
        NotTriedError: an output is missing.
    """
    values: dict[str, Any] = {
        "api_url": target.address(outputs.API_ADDRESS, "apiUrl"),
        "events_http_url": target.address(outputs.EVENTS_HTTP_ENDPOINT, "eventsHttpEndpoint"),
        "events_realtime_url": target.address(outputs.EVENTS_REALTIME_ENDPOINT, "eventsRealtimeEndpoint"),
        "region": target.output(outputs.POOL_REGION),
        "user_pool_id": target.output(outputs.USER_POOL_ID),
        "client_id": target.output(outputs.CLIENT_ID),
    }
    if absent := [name for name, value in values.items() if value is None]:
        raise NotTriedError(f"the stacks have no output for {', '.join(absent)}")
    return ClientTarget(**values, cognito_endpoint=target.local["userPoolEndpoint"] if target.local else None)


def endpoint(target: Target) -> Endpoint:
    """Return the addresses of the Event API."""
    return client_target(target).events


def sign_in(target: Target, user_id: str, email: str, password: str) -> Session:
    """Sign a user in by SRP, as every client does.

    Raises:
        client.errors.ClientError: Cognito refused or did not respond.
    """

    async def run() -> Session:
        async with aiohttp.ClientSession() as http:
            tokens = await Cognito(client_target(target), http).sign_in(email, password)
        return Session(user_id, tokens.access)

    return asyncio.run(run())


__all__ = ["PREFIX", "ClientError", "Session", "TemporaryUser", "client_target", "endpoint", "sign_in"]
