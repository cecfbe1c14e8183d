"""Signs the canary's users in with their password, on the app client that exists only for them."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from handlers.core.canary.ports import CanaryError, CanaryUser, Session, SignIn


class _Claims(msgspec.Struct):
    sub: str


class PasswordSignIn(SignIn):
    """Signs in by USER_PASSWORD_AUTH (Amazon Cognito: InitiateAuth), which needs no permission of the function.

    Args:
        client: returns the `cognito-idp` client of the pool's region.
        client_id: the app client.
    """

    def __init__(self, client: Callable[[], Any], client_id: str) -> None:
        self._client = client
        self._client_id = client_id

    def sign_in(self, user: CanaryUser) -> Session:
        try:
            answer = self._client().initiate_auth(
                ClientId=self._client_id,
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": user.email, "PASSWORD": user.password},
            )
        except (ClientError, BotoCoreError) as error:
            raise CanaryError(f"Cognito did not sign in {user.email}: {error}") from error
        tokens = answer.get("AuthenticationResult")
        if tokens is None:
            raise CanaryError(f"Cognito asks {user.email} for a further step: {answer.get('ChallengeName')}")
        token = str(tokens["AccessToken"])
        return Session(user_id=_subject(token), access_token=token)


def _subject(token: str) -> str:
    """Return the `sub` of an access token. Cognito has just issued it, so that its signature is not checked."""
    payload = token.split(".")[1]
    content = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    return msgspec.json.decode(content, type=_Claims).sub
