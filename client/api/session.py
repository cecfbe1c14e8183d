"""The session of a signed-in user: an access token that is valid for the next request."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable
from typing import Any, Protocol

from appsync_events import UserPoolToken

from client.api.cognito import Cognito, Tokens
from client.errors import SignInError

RENEW_BEFORE_SECONDS = 60.0
"""A token that expires within this time is renewed before it is used."""


def token_claims(token: str) -> dict[str, Any]:
    """Return the claims of a JWT. They are not verified: the servers do that, the client only reads its own.

    Raises:
        SignInError: the text is not a JWT.
    """
    try:
        payload = token.split(".")[1]
        decoded = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError) as error:
        raise SignInError("InvalidToken", "the token is not a JWT") from error
    return dict(decoded)


class TokenSource(Protocol):
    """A source of access tokens; `Session` is one."""

    async def access_token(self, *, refused: str | None = None) -> str:
        """Return a valid token that is not `refused`."""
        ...


def events_auth(tokens: TokenSource) -> UserPoolToken:
    """Return the credentials for the Event API that use the tokens of a source."""
    return UserPoolToken(lambda refused: tokens.access_token(refused=refused))


class Session:
    """A signed-in user. `repr` shows the user's id and no secret.

    Args:
        cognito: renews the tokens.
        tokens: the tokens of the sign-in.
        clock: returns the present in epoch seconds.
    """

    def __init__(self, cognito: Cognito, tokens: Tokens, *, clock: Callable[[], float] = time.time) -> None:
        self._cognito = cognito
        self._tokens = tokens
        self._clock = clock
        self._renewing = asyncio.Lock()
        self.user_id = str(token_claims(tokens.access)["sub"])

    def __repr__(self) -> str:
        return f"Session(user_id={self.user_id!r})"

    @classmethod
    async def sign_in(cls, cognito: Cognito, email: str, password: str) -> Session:
        """Sign in and return the session.

        Raises:
            WrongCredentialsError, NotConfirmedError, SignInError, UnreachableError
        """
        return cls(cognito, await cognito.sign_in(email, password))

    @property
    def id_token(self) -> str:
        """The ID token, with the user's attributes; no service of this product accepts it."""
        return self._tokens.id

    async def access_token(self, *, refused: str | None = None) -> str:
        """Return an access token, renewed if it is about to expire.

        Args:
            refused: a token that a server has just refused; it is not returned again. Concurrent requests that were
                refused share one renewal.

        Raises:
            SignedOutError, SignInError, UnreachableError
        """
        async with self._renewing:
            expiring = self._tokens.expires_at - self._clock() < RENEW_BEFORE_SECONDS
            if expiring or self._tokens.access == refused:
                self._tokens = await self._cognito.renew(self._tokens.refresh)
            return self._tokens.access
