"""Sign-up, sign-in and token renewal with Amazon Cognito; needs no AWS credentials."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from appsync_events import Backoff

from client.api.srp import SrpExchange
from client.api.targets import Target
from client.errors import (
    AccountExistsError,
    NotConfirmedError,
    SignedOutError,
    SignInError,
    UnreachableError,
    WrongCredentialsError,
)

_TIMEOUT = aiohttp.ClientTimeout(total=15.0, connect=5.0)
_ATTEMPTS = 4
_MEDIA_TYPE = "application/x-amz-json-1.1"
_SERVICE = "AWSCognitoIdentityProviderService"
_THROTTLED = frozenset({"TooManyRequestsException", "InternalErrorException", "ThrottlingException"})
_ERRORS: dict[str, type[SignInError]] = {
    "NotAuthorizedException": WrongCredentialsError,
    "UserNotFoundException": WrongCredentialsError,
    "UserNotConfirmedException": NotConfirmedError,
    "UsernameExistsException": AccountExistsError,
}


@dataclass(frozen=True)
class Tokens:
    """The tokens of a sign-in. Both APIs accept the access token; `expires_at` is in epoch seconds."""

    access: str = field(repr=False)
    id: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: float


class Cognito:
    """Cognito's user pool API for one app client.

    Args:
        target: the environment.
        http: the HTTP session to use; the caller closes it.
        clock: returns the present in epoch seconds.
    """

    def __init__(
        self,
        target: Target,
        http: aiohttp.ClientSession,
        *,
        clock: Callable[[], float] = time.time,
        backoff: Backoff | None = None,
    ) -> None:
        self._target = target
        self._http = http
        self._clock = clock
        self._backoff = backoff or Backoff()

    async def sign_up(self, email: str, password: str, *, first_name: str, last_name: str) -> str:
        """Register a user; Cognito then sends a confirmation code by e-mail.

        Returns:
            The user's id, as every other part of the product uses it.

        Raises:
            AccountExistsError, SignInError, UnreachableError
        """
        attributes = {"email": email, "given_name": first_name, "family_name": last_name}
        created = await self._call(
            "SignUp",
            ClientId=self._target.client_id,
            Username=email,
            Password=password,
            UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
        )
        return str(created["UserSub"])

    async def confirm(self, email: str, code: str) -> None:
        """Confirm a sign-up with the code from the e-mail.

        Raises:
            SignInError, UnreachableError
        """
        await self._call("ConfirmSignUp", ClientId=self._target.client_id, Username=email, ConfirmationCode=code)

    async def sign_in(self, email: str, password: str) -> Tokens:
        """Sign in by SRP; the password itself is not sent.

        Raises:
            WrongCredentialsError, NotConfirmedError, SignInError, UnreachableError
        """
        exchange = SrpExchange.start()
        initiated = await self._call(
            "InitiateAuth",
            ClientId=self._target.client_id,
            AuthFlow="USER_SRP_AUTH",
            AuthParameters={"USERNAME": email, "SRP_A": exchange.srp_a},
        )
        _require_challenge(initiated, "PASSWORD_VERIFIER")
        # Three exponentiations of 3072 bits take tens of milliseconds: too long for the event loop.
        proof = await asyncio.to_thread(
            exchange.challenge_response, self._target.user_pool_id, password, initiated["ChallengeParameters"]
        )
        done = await self._call(
            "RespondToAuthChallenge",
            ClientId=self._target.client_id,
            ChallengeName="PASSWORD_VERIFIER",
            ChallengeResponses=proof,
        )
        return self._tokens(done)

    async def renew(self, refresh: str) -> Tokens:
        """Exchange a refresh token for new tokens.

        Raises:
            SignedOutError: the refresh token has expired or was revoked.
            SignInError, UnreachableError
        """
        try:
            done = await self._call(
                "InitiateAuth",
                ClientId=self._target.client_id,
                AuthFlow="REFRESH_TOKEN_AUTH",
                AuthParameters={"REFRESH_TOKEN": refresh},
            )
        except WrongCredentialsError as error:
            raise SignedOutError(error.code, "the session has ended; sign in again") from error
        return self._tokens(done, refresh)

    def _tokens(self, response: dict[str, Any], refresh: str = "") -> Tokens:
        if "AuthenticationResult" not in response:
            _require_challenge(response, "")
        result = response["AuthenticationResult"]
        return Tokens(
            access=result["AccessToken"],
            id=result["IdToken"],
            refresh=result.get("RefreshToken") or refresh,
            expires_at=self._clock() + float(result["ExpiresIn"]),
        )

    async def _call(self, operation: str, **fields: Any) -> dict[str, Any]:
        headers = {"content-type": _MEDIA_TYPE, "x-amz-target": f"{_SERVICE}.{operation}"}
        for attempt in range(_ATTEMPTS):
            try:
                async with self._http.post(
                    f"{self._target.cognito_url}/", json=fields, headers=headers, timeout=_TIMEOUT
                ) as response:
                    body = await response.json(content_type=None)
                    if response.status == 200:
                        return dict(body)
                    error = _error(response.status, body)
            except (aiohttp.ClientError, TimeoutError, ValueError) as cause:
                error = UnreachableError("Cognito", str(cause) or type(cause).__name__)
            transient = isinstance(error, UnreachableError) or error.code in _THROTTLED
            # After a lost response, a second SignUp would report the account of the first as taken.
            if not transient or attempt + 1 == _ATTEMPTS or operation == "SignUp":
                raise error
            await asyncio.sleep(self._backoff.delay(attempt))
        raise AssertionError("unreachable")  # pragma: no cover


def _error(status: int, body: Any) -> SignInError | UnreachableError:
    if not isinstance(body, dict) or "__type" not in body:
        return UnreachableError("Cognito", f"status {status} without an error type")
    code = str(body["__type"]).rpartition("#")[2]
    return _ERRORS.get(code, SignInError)(code, str(body.get("message") or body.get("Message") or "refused"))


def _require_challenge(response: dict[str, Any], name: str) -> None:
    given = response.get("ChallengeName")
    if given != name:
        raise SignInError(
            str(given), "this account needs a sign-in step that this client does not support, such as MFA"
        )
