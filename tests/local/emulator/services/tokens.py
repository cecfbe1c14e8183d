"""Access tokens of a local user pool, and tokens that no pool has signed."""

from __future__ import annotations

import base64
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.local.conftest import EmulatorProcess

FOREIGN_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PASSWORD = "Secret-123"


@dataclass
class SignedIn:
    """One user who has signed in.

    Attributes:
        pool: id of the user pool.
        client: id of the app client.
        name: the user's name.
        access: access token.
        refresh: refresh token.
    """

    pool: str
    client: str
    name: str
    access: str
    refresh: str


def sign_in(emulator: EmulatorProcess, *names: str) -> list[SignedIn]:
    """Make a user pool with these users, each signed in by password."""
    cognito = emulator.aws("cognito-idp")
    pool = cognito.create_user_pool(PoolName=f"pool-{uuid.uuid4().hex[:8]}")["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool,
        ClientName="web",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    users = []
    for name in names:
        cognito.admin_create_user(UserPoolId=pool, Username=name, MessageAction="SUPPRESS")
        cognito.admin_set_user_password(UserPoolId=pool, Username=name, Password=PASSWORD, Permanent=True)
        result = cognito.initiate_auth(
            ClientId=client,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": PASSWORD},
        )["AuthenticationResult"]
        users.append(SignedIn(pool, client, name, result["AccessToken"], result["RefreshToken"]))
    return users


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a token, unverified."""
    header, claims, _ = token.split(".")
    return json.loads(_decoded(header)), json.loads(_decoded(claims))


def unsigned(token: str, **claims: Any) -> str:
    """Return the token with other claims, algorithm `none` and an empty signature."""
    _, given = parts(token)
    return f"{_encoded({'alg': 'none'})}.{_encoded({**given, **claims})}."


def with_claims(token: str, **claims: Any) -> str:
    """Return the token with other claims under its own header and signature."""
    header, given, signature = token.split(".")
    return f"{header}.{_encoded({**json.loads(_decoded(given)), **claims})}.{signature}"


def signed_by_foreign_key(token: str, **claims: Any) -> str:
    """Return the token with other claims, signed with a key of no pool under the header of the true key."""
    header, given = parts(token)
    text = f"{_encoded(header)}.{_encoded({**given, **claims})}"
    signature = FOREIGN_KEY.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def nested_header(token: str, depth: int = 100_000) -> str:
    """Return the token with a header that is nested so deep that a recursive parser fails."""
    _, claims, signature = token.split(".")
    header = base64.urlsafe_b64encode(b"[" * depth + b"]" * depth).rstrip(b"=").decode()
    return f"{header}.{claims}.{signature}"


def nested_claims(token: str, depth: int = 100_000) -> str:
    """Return the token with claims that are nested so deep that a recursive parser fails."""
    header, _, signature = token.split(".")
    claims = base64.urlsafe_b64encode(b"[" * depth + b"]" * depth).rstrip(b"=").decode()
    return f"{header}.{claims}.{signature}"


def later(seconds: int) -> int:
    """Return a time from now, in seconds since the epoch."""
    return int(time.time()) + seconds


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encoded(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()
