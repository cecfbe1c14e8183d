"""Signs up the two demo users through Cognito, as any other user."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.outputs import CloudOutputs
from local.state import write_atomically
from local.steps import StepError


@dataclass(frozen=True)
class DemoUser:
    """One demo user; the password is random per state directory."""

    email: str
    name: str
    given_name: str
    family_name: str
    password: str


_PEOPLE = (("ada@example.edu", "Ada", "Lovelace"), ("grace@example.edu", "Grace", "Hopper"))


def ensure_demo_users(path: Path, outputs: CloudOutputs, keys: dict[str, str]) -> list[DemoUser]:
    """Sign both up unless the state directory says that they are there.

    Sign-up and the administrator's confirmation go through Cognito, so the post-confirmation trigger makes their
    profiles.

    Args:
        path: where users and passwords are kept (file mode 0600).
        outputs: addresses of the cloud.
        keys: the operator's credentials as environment variables.

    Raises:
        StepError: Cognito refused.
    """
    known = read_demo_users(path)
    if known:
        return known
    cognito = _client(outputs, keys)
    users = [DemoUser(email, f"{given} {family}", given, family, _password()) for email, given, family in _PEOPLE]
    for user in users:
        _sign_up(cognito, outputs, user)
    write_atomically(path, json.dumps([asdict(user) for user in users], indent=1), mode=0o600)
    return users


def read_demo_users(path: Path) -> list[DemoUser]:
    """The demo users of a state directory, none when they were not made yet."""
    if not path.exists():
        return []
    return [DemoUser(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]


def _sign_up(cognito: Any, outputs: CloudOutputs, user: DemoUser) -> None:
    attributes = {
        "email": user.email,
        "name": user.name,
        "given_name": user.given_name,
        "family_name": user.family_name,
    }
    try:
        _create(cognito, outputs, user, attributes)
        _confirm(cognito, outputs, user)
    except (ClientError, BotoCoreError) as error:
        raise StepError(
            f"{user.email} could not be signed up: {error}",
            "see emulator.log; after UserLambdaValidationException it is the post-confirmation function that failed",
        ) from error


def _create(cognito: Any, outputs: CloudOutputs, user: DemoUser, attributes: dict[str, str]) -> None:
    try:
        cognito.sign_up(
            ClientId=outputs.userPoolClientId,
            Username=user.email,
            Password=user.password,
            UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
        )
    except cognito.exceptions.UsernameExistsException:
        # A run that ended between sign-up and the writing of the file: the password is unknown, so it is set again.
        # Confirmed first, because setting a password confirms too, but without the trigger that makes the profile.
        _confirm(cognito, outputs, user)
        cognito.admin_set_user_password(
            UserPoolId=outputs.userPoolId, Username=user.email, Password=user.password, Permanent=True
        )


def _confirm(cognito: Any, outputs: CloudOutputs, user: DemoUser) -> None:
    state = cognito.admin_get_user(UserPoolId=outputs.userPoolId, Username=user.email)["UserStatus"]
    if state == "UNCONFIRMED":
        cognito.admin_confirm_sign_up(UserPoolId=outputs.userPoolId, Username=user.email)


def _client(outputs: CloudOutputs, keys: dict[str, str]) -> Any:
    return boto3.client(
        "cognito-idp",
        endpoint_url=outputs.userPoolEndpoint,
        region_name=outputs.region,
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        config=Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 2}),
    )


def _password() -> str:
    """Random, and with every kind of character that a password policy may ask for."""
    return f"Demo-{secrets.token_urlsafe(9)}-7a"
