"""The environment under test: its target and the operator's access to it."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Any

import boto3

from client.api.cognito import Cognito
from client.api.targets import Target

LONGEST_WAIT_SECONDS = 30.0
"""How long a test waits for an expected condition; far longer than it takes."""
_LOCAL_CONFIRMATION_CODE = "123456"
"""The local cloud accepts any code."""


@dataclass(frozen=True)
class TestEnvironment:
    """An environment under test, with the operator's AWS credentials (as environment variables)."""

    __test__ = False

    target: Target
    keys: dict[str, str] = field(repr=False)
    aws_endpoint: str | None

    @property
    def deployed(self) -> bool:
        """Whether the environment is deployed to AWS rather than a local cloud."""
        return not self.target.local

    def aws(self, service: str) -> Any:
        """Return a boto3 client with the operator's permissions."""
        session = boto3.Session(
            aws_access_key_id=self.keys.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=self.keys.get("AWS_SECRET_ACCESS_KEY"),
            aws_session_token=self.keys.get("AWS_SESSION_TOKEN"),
            region_name=self.target.region,
        )
        return session.client(service, endpoint_url=self.aws_endpoint)

    def unused_address(self) -> str:
        """Return an e-mail address that no user has; on AWS, mail to it goes to the SES mailbox simulator."""
        name = uuid.uuid4().hex
        return f"success+{name}@simulator.amazonses.com" if self.deployed else f"{name}@example.edu"

    async def create_user(self, email: str, password: str, attributes: dict[str, str]) -> str:
        """Create a user as the operator, without the mail that a sign-up sends, and return the user's id.

        Cognito's own mail service sends 50 messages a day (Amazon Cognito: quotas), fewer than this suite has users.
        """
        pool = {"UserPoolId": self.target.user_pool_id, "Username": email}
        described = [
            {"Name": name, "Value": value} for name, value in (attributes | {"email_verified": "true"}).items()
        ]
        cognito = self.aws("cognito-idp")
        created = await asyncio.to_thread(
            cognito.admin_create_user, **pool, UserAttributes=described, MessageAction="SUPPRESS"
        )
        await asyncio.to_thread(cognito.admin_set_user_password, **pool, Password=password, Permanent=True)
        return next(str(each["Value"]) for each in created["User"]["Attributes"] if each["Name"] == "sub")

    async def confirm(self, cognito: Cognito, email: str) -> None:
        """Confirm a sign-up: with a code on a local cloud, as the operator on AWS."""
        if not self.deployed:
            await cognito.confirm(email, _LOCAL_CONFIRMATION_CODE)
            return
        await asyncio.to_thread(
            self.aws("cognito-idp").admin_confirm_sign_up, UserPoolId=self.target.user_pool_id, Username=email
        )

    def delete_user(self, email: str) -> None:
        """Delete a user of a deployed environment; a local cloud is deleted as a whole."""
        if self.deployed:
            self.aws("cognito-idp").admin_delete_user(UserPoolId=self.target.user_pool_id, Username=email)
