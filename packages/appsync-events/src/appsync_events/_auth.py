"""Credentials for the five auth modes of an Event API, asked for anew for every connection, subscription and publish.

| mode (CloudFormation) | class |
| --- | --- |
| `API_KEY` | `ApiKey` |
| `AMAZON_COGNITO_USER_POOLS` | `UserPoolToken` |
| `OPENID_CONNECT` | `OidcToken` |
| `AWS_LAMBDA` | `LambdaToken` |
| `AWS_IAM` | `Iam` (in `appsync_events._iam`; needs botocore) |

Source: AppSync Events: "Configuring authorization and authentication" and "WebSocket protocol".
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from appsync_events._errors import CredentialsError, EventsError

TokenCallback = Callable[[str | None], str | Awaitable[str]]
"""Returns a token that is good now. Its argument is the token that the API has just refused, or None."""


@dataclass(frozen=True)
class Operation:
    """What credentials are asked for: the HTTP request that a connection, subscription or publish stands for.

    Attributes:
        url: the HTTP endpoint.
        host: the HTTP host, which credentials of every mode name.
        region: of the API, where the host says it.
        headers: headers of that request.
        body: its exact text.
    """

    url: str
    host: str
    region: str | None
    headers: Mapping[str, str]
    body: str


class Auth(Protocol):
    """Credentials of one mode. An application may bring its own class."""

    async def authorize(self, operation: Operation, *, refused: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the headers that authorise an operation, without `host`.

        Args:
            operation: what is to be authorised.
            refused: what this method returned a moment ago and the API refused; return something newer, or the same
                where there is nothing newer.

        Raises:
            NoCredentialsError: there will be none; a connection gives up.
            CredentialsError: there are none at the moment; a connection tries again.
        """
        ...


class ApiKey:
    """An API key. The text form does not show it."""

    def __init__(self, key: str) -> None:
        self._key = key

    async def authorize(self, operation: Operation, *, refused: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the key as a header."""
        return {"x-api-key": self._key}


class _Token:
    def __init__(self, token: str | TokenCallback) -> None:
        self._token = token

    async def authorize(self, operation: Operation, *, refused: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the token as a header, a fresh one where the callback has one."""
        if isinstance(self._token, str):
            return {"Authorization": self._token}
        try:
            answer = self._token(refused["Authorization"] if refused else None)
            token = await answer if inspect.isawaitable(answer) else answer
        except EventsError:
            raise
        except Exception as error:
            raise CredentialsError(f"the token callback failed: {str(error) or type(error).__name__}") from error
        return {"Authorization": token}


class UserPoolToken(_Token):
    """A token of a Cognito user pool.

    Args:
        token: the ID or access token, or a callback that returns one; only with a callback does a connection outlive
            its token.
    """


class OidcToken(_Token):
    """A JWT of an OpenID Connect provider.

    Args:
        token: the token, or a callback that returns one.
    """


class LambdaToken(_Token):
    """A token that the API's Lambda authorizer understands.

    Args:
        token: the text, or a callback that returns one. Without `Bearer ` in front: an API that also has a user pool
            or OIDC provider would take it for a JWT.
    """


class Renewal:
    """The credentials of one operation, renewed once if the API refuses them.

    Args:
        auth: gives them.
        operation: what they are for.
    """

    def __init__(self, auth: Auth, operation: Operation) -> None:
        self._auth = auth
        self._operation = operation
        self._renewed = False
        self.headers: dict[str, str] = {}

    async def first(self) -> None:
        """Get the credentials to begin with."""
        self.headers = await self._auth.authorize(self._operation)

    async def renew(self) -> bool:
        """Get newer ones after a refusal; return whether there are any, so that another try has a point."""
        if self._renewed:
            return False
        self._renewed = True
        refused, self.headers = self.headers, await self._auth.authorize(self._operation, refused=self.headers)
        return self.headers != refused

    @property
    def authorization(self) -> dict[str, str]:
        """The credentials as a frame has them."""
        return {"host": self._operation.host, **self.headers}
