"""The Lambda authorizer: a function of the API's owner that decides about tokens.

Source: AppSync Events: "Configuring authorization and authentication", AWS_LAMBDA authorization. Whatever is not a
clear yes is a no: an error of the function, an answer that is none, that comes too late or is too long. The log says
which.
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

REMEMBERED_ANSWERS: Final = 4096
_SHOWN: Final = 300
"""Characters of a function's error that the log shows."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AuthorizerResponse:
    """What a function said: yes or no, what it lets handlers know, and how long that holds (`None`: as configured)."""

    authorized: bool
    context: Mapping[str, str]
    ttl_seconds: float | None


class LambdaAuthorizer:
    """Asks authorizer functions, and remembers what they said.

    Args:
        functions: invokes them.
        clock: seconds, monotonic.
        patience_seconds: how long a function may take.
    """

    def __init__(
        self, functions: FunctionInvoker, clock: Callable[[], float], patience_seconds: float = AUTHORIZER_SECONDS
    ) -> None:
        self._functions = functions
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._answers: OrderedDict[tuple[object, ...], tuple[float, AuthorizerResponse]] = OrderedDict()

    async def authorize(
        self, provider: LambdaProvider, api_id: str, account_id: str, token: str, call: RequestedOperation
    ) -> dict[str, Any]:
        """`ctx.identity` of whom the function lets in.

        Raises:
            Refusal: it says no, or says nothing that counts.
        """
        if provider.token_pattern is not None and re.fullmatch(provider.token_pattern, token) is None:
            raise unauthorized(f"the token does not match {provider.token_pattern}; the authorizer was not asked")
        channel = call.channel.path if call.channel else None
        key = (provider, api_id, channel, call.operation, token)
        answer = self._remembered(key)
        if answer is None:
            answer = await self._ask(provider, _request(api_id, account_id, token, call))
            self._remember(key, answer, provider.ttl_seconds)
        if not answer.authorized:
            raise unauthorized(f"the authorizer {provider.function} said no")
        return {"handlerContext": dict(answer.context)}

    def _remembered(self, key: tuple[object, ...]) -> AuthorizerResponse | None:
        until, answer = self._answers.get(key, (0.0, None))
        return answer if self._clock() < until else None

    def _remember(self, key: tuple[object, ...], answer: AuthorizerResponse, ttl_seconds: float) -> None:
        ttl = ttl_seconds if answer.ttl_seconds is None else answer.ttl_seconds
        if ttl <= 0:
            return
        self._answers[key] = (self._clock() + ttl, answer)
        self._answers.move_to_end(key)
        if len(self._answers) > REMEMBERED_ANSWERS:
            self._answers.popitem(last=False)

    async def _ask(self, provider: LambdaProvider, request: bytes) -> AuthorizerResponse:
        function = provider.function
        try:
            async with asyncio.timeout(self._patience_seconds):
                answered = await self._functions.invoke(function, request, asynchronous=False)
        except TimeoutError:
            raise unauthorized(f"the authorizer {function} took over {self._patience_seconds:g} s") from None
        except InvocationError as error:
            raise unauthorized(f"the authorizer cannot be asked: {error}") from error
        if answered.function_error is not None:
            text = answered.payload.decode("utf-8", "replace")[:_SHOWN]
            raise unauthorized(f"the authorizer {function} failed ({answered.function_error}): {text}")
        if len(answered.payload) > AUTHORIZER_ANSWER_BYTES:
            raise unauthorized(f"the authorizer {function} answered {len(answered.payload)} bytes, over 5 MB")
        try:
            answer = _answer(parse(answered.payload))
        except ValueError as error:
            raise unauthorized(f"the answer of the authorizer {function} does not count: {error}") from error
        _log.debug("the authorizer %s says %s", function, "yes" if answer.authorized else "no")
        return answer


def _request(api_id: str, account_id: str, token: str, call: RequestedOperation) -> bytes:
    context = {
        "apiId": api_id,
        "accountId": account_id,
        "requestId": str(uuid4()),
        "operation": call.operation,
        "channelNamespaceName": call.channel.namespace if call.channel else None,
        "channel": call.channel.path if call.channel else None,
    }
    headers = dict(call.headers)
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
        raise ValueError("handlerContext is not a flat object of texts")
    return AuthorizerResponse(authorized, context, _ttl(document.get("ttlOverride")))


def _ttl(override: object) -> float | None:
    if override is None:
        return None
    if isinstance(override, bool) or not isinstance(override, int | float):
        raise ValueError(f"ttlOverride is {override!r}, not a number of seconds")
    if not 0 <= override <= AUTHORIZER_LONGEST_TTL_SECONDS:
        raise ValueError(f"ttlOverride is {override:g}; 0 to {AUTHORIZER_LONGEST_TTL_SECONDS} seconds are allowed")
    return float(override)
