"""Credentials for the five auth modes of an Event API. Every connection, subscription and publish requests its own.

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
"""Returns a valid token, or an awaitable of one. Its argument is the token that the API has just rejected, or None."""


@dataclass(frozen=True)
class Operation:
    """The operation that needs credentials, as the HTTP request that a signature covers.

    Attributes:
        url: the HTTP endpoint.
        host: the HTTP host, which the credentials of every mode contain.
        region: the AWS region of the API, if the host contains it.
        headers: the headers of the request.
        body: the exact body of the request.
    """

    url: str
    host: str
    region: str | None
    headers: Mapping[str, str]
    body: str


class Auth(Protocol):
    """Credentials of one auth mode. An application may implement it."""

    async def authorize(self, operation: Operation, *, refused: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the headers that authorise an operation, without `host`.

        Args:
            operation: the operation.
            refused: the headers that the API has just rejected; return newer ones, or the same if there are none.

        Raises:
            NoCredentialsError: no credentials are available any more; a connection ends.
            CredentialsError: no credentials are available at the moment; a connection retries.
        """
        ...


class ApiKey:
    """An API key. Its `repr` does not show the key.

    Args:
        key: the key, `da2-…`.
    """

    def __init__(self, key: str) -> None:
        self._key = key

    async def authorize(self, operation: Operation, *, refused: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the key as a header."""
        return {"x-api-key": self._key}


class _Token:
    def __init__(self, token: str | TokenCallback) -> None:
        self._token = token

    async def authorize(self, operation: Operation, *, refused: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the token as a header; a callback is called each time."""
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
        token: the ID or access token, or a callback that returns one. With a callback, a connection can outlive its
            token.
    """


class OidcToken(_Token):
    """A JWT of an OpenID Connect provider.

    Args:
        token: the token, or a callback that returns one.
    """


class LambdaToken(_Token):
    """A token for the API's Lambda authorizer.

    Args:
        token: the token, or a callback that returns one. It must not start with `Bearer `: an API that also has a user
            pool or OIDC provider would treat it as a JWT.
    """


class OperationCredentials:
    """The credentials of one operation, renewed at most once if the API rejects them.

    Args:
        auth: provides them.
        operation: the operation.
    """

    def __init__(self, auth: Auth, operation: Operation) -> None:
        self._auth = auth
        self._operation = operation
        self._renewed = False
        self.headers: dict[str, str] = {}

    async def load(self) -> None:
        """Request the first credentials."""
        self.headers = await self._auth.authorize(self._operation)

    async def renew(self) -> bool:
        """Request newer credentials after a rejection; return whether they differ, so that a retry makes sense."""
        if self._renewed:
            return False
        self._renewed = True
        refused, self.headers = self.headers, await self._auth.authorize(self._operation, refused=self.headers)
        return self.headers != refused

    @property
    def authorization(self) -> dict[str, str]:
        """The credentials in the form of a frame's `authorization`."""
        return {"host": self._operation.host, **self.headers}
