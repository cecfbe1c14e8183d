"""Lambda authorizers: a function of the API's owner decides whether a token is accepted.

Denies by default: an error of the function, an invalid response, a timeout and a response that is too long are all
denials; the log holds the cause. Source: AppSync Events: "Configuring authorization and authentication", AWS_LAMBDA.
"""

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from appsync_events_local.auth.operation import RequestedOperation
from appsync_events_local.errors import unauthorized
from appsync_events_local.functions.invoker import FunctionInvoker, InvocationError
from appsync_events_local.limits import AUTHORIZER_ANSWER_BYTES, AUTHORIZER_LONGEST_TTL_SECONDS, AUTHORIZER_SECONDS
from appsync_events_local.model.auth_providers import LambdaProvider
from appsync_events_local.protocol.frames import encode
from appsync_events_local.strict_json import parse

CACHED_RESPONSES: Final = 4096
_LOGGED_CHARACTERS: Final = 300
"""Characters of a function's error that are written to the log."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AuthorizerResponse:
    """A function's response.

    Attributes:
        authorized: whether the token is accepted.
        context: `ctx.identity.handlerContext`.
        ttl_seconds: how long the response is cached; `None` is the provider's setting.
    """

    authorized: bool
    context: Mapping[str, str]
    ttl_seconds: float | None


class LambdaAuthorizer:
    """Invokes authorizer functions and caches their responses.

    Args:
        functions: invokes the functions.
        clock: seconds, monotonic.
        timeout_seconds: how long a function may take.
    """

    def __init__(
        self, functions: FunctionInvoker, clock: Callable[[], float], timeout_seconds: float = AUTHORIZER_SECONDS
    ) -> None:
        self._functions = functions
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._responses: OrderedDict[tuple[object, ...], tuple[float, AuthorizerResponse]] = OrderedDict()

    async def authorize(
        self, provider: LambdaProvider, api_id: str, account_id: str, token: str, requested: RequestedOperation
    ) -> dict[str, Any]:
        """Return `ctx.identity` of a caller that the function accepts.

        Raises:
            Refusal: the function denies the token, fails, or returns an invalid response.
        """
        if provider.token_pattern is not None and re.fullmatch(provider.token_pattern, token) is None:
            raise unauthorized(f"the token does not match {provider.token_pattern}; the authorizer was not invoked")
        channel = requested.channel.path if requested.channel else None
        key = (provider, api_id, channel, requested.operation, token)
        answer = self._cached(key)
        if answer is None:
            answer = await self._invoke(provider, _request(api_id, account_id, token, requested))
            self._store(key, answer, provider.ttl_seconds)
        if not answer.authorized:
            raise unauthorized(f"the authorizer {provider.function} denied the token")
        return {"handlerContext": dict(answer.context)}

    def _cached(self, key: tuple[object, ...]) -> AuthorizerResponse | None:
        until, answer = self._responses.get(key, (0.0, None))
        return answer if self._clock() < until else None

    def _store(self, key: tuple[object, ...], answer: AuthorizerResponse, ttl_seconds: float) -> None:
        ttl = ttl_seconds if answer.ttl_seconds is None else answer.ttl_seconds
        if ttl <= 0:
            return
        self._responses[key] = (self._clock() + ttl, answer)
        self._responses.move_to_end(key)
        if len(self._responses) > CACHED_RESPONSES:
            self._responses.popitem(last=False)

    async def _invoke(self, provider: LambdaProvider, request: bytes) -> AuthorizerResponse:
        function = provider.function
        try:
            async with asyncio.timeout(self._timeout_seconds):
                result = await self._functions.invoke(function, request, asynchronous=False)
        except TimeoutError:
            raise unauthorized(f"the authorizer {function} took longer than {self._timeout_seconds:g} s") from None
        except InvocationError as error:
            raise unauthorized(f"the authorizer cannot be invoked: {error}") from error
        if result.function_error is not None:
            text = result.payload.decode("utf-8", "replace")[:_LOGGED_CHARACTERS]
            raise unauthorized(f"the authorizer {function} failed ({result.function_error}): {text}")
        if len(result.payload) > AUTHORIZER_ANSWER_BYTES:
            raise unauthorized(
                f"the authorizer {function} returned {len(result.payload)} bytes; at most 5 MB are allowed"
            )
        try:
            answer = _answer(parse(result.payload))
        except ValueError as error:
            raise unauthorized(f"the response of the authorizer {function} is invalid: {error}") from error
        _log.debug("authorizer %s: %s", function, "authorized" if answer.authorized else "denied")
        return answer


def _request(api_id: str, account_id: str, token: str, requested: RequestedOperation) -> bytes:
    context = {
        "apiId": api_id,
        "accountId": account_id,
        "requestId": str(uuid4()),
        "operation": requested.operation,
        "channelNamespaceName": requested.channel.namespace if requested.channel else None,
        "channel": requested.channel.path if requested.channel else None,
    }
    headers = dict(requested.headers)
    request = {"authorizationToken": token, "requestContext": context, "requestHeaders": headers}
    return encode(request).encode("utf-8", "replace")


def _answer(document: object) -> AuthorizerResponse:
    if not isinstance(document, dict):
        raise ValueError("it is not an object")
    authorized, context = document.get("isAuthorized"), document.get("handlerContext")
    if not isinstance(authorized, bool):
        raise ValueError(f"isAuthorized is {authorized!r}, neither true nor false")
    if context is None:
        context = {}
    if not isinstance(context, dict) or not all(isinstance(value, str) for value in context.values()):
        raise ValueError("handlerContext is not a flat object of strings")
    return AuthorizerResponse(authorized, context, _ttl(document.get("ttlOverride")))


def _ttl(override: object) -> float | None:
    if override is None:
        return None
    if isinstance(override, bool) or not isinstance(override, int | float):
        raise ValueError(f"ttlOverride is {override!r}, not a number of seconds")
    if not 0 <= override <= AUTHORIZER_LONGEST_TTL_SECONDS:
        raise ValueError(f"ttlOverride is {override:g}; 0 to {AUTHORIZER_LONGEST_TTL_SECONDS} seconds are allowed")
    return float(override)
