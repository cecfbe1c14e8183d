"""Sends requests to the HTTP API: authorised, with typed responses, and repeated where a repetition is safe."""

from __future__ import annotations

import asyncio
import email.utils
import time
from collections.abc import Mapping
from typing import Any, Final, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from appsync_events import Backoff
from msgspec import UNSET

from client.api.server_clock import ServerClock
from client.api.session import TokenSource
from client.api.targets import Target
from client.errors import ApiError, ConflictError, ServerFaultError, TooManyRequestsError, UnreachableError, error_class
from contract import requests, responses
from contract.route import Route
from contract.routes import ROUTES

Response = TypeVar("Response", bound=responses.Success)
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30.0, connect=5.0)
_RETRY_SECONDS: Final = 30.0
"""How long a request is retried."""
_NO_PATH: Final[Mapping[str, str]] = {}
_ROUTES: Final = {route.operation: route for route in ROUTES}
# A repetition of the first two would fail where the first attempt succeeded; a late typing notice means nothing.
_ONCE: Final = frozenset({"leaveGroup", "removeMember", "setTyping"})
_DECODERS: Final = {route.operation: msgspec.json.Decoder(route.response) for route in ROUTES}


class HttpTransport:
    """Sends requests as one signed-in user. Every request may raise a subclass of ApiError, or UnreachableError.

    Args:
        target: the environment.
        tokens: the source of access tokens.
        http: the HTTP session to use; the caller closes it.
        backoff: waits between attempts.
        retry_seconds: how long a request is retried.
        clock: takes the time of each response.
    """

    def __init__(
        self,
        target: Target,
        tokens: TokenSource,
        http: aiohttp.ClientSession,
        *,
        backoff: Backoff | None = None,
        retry_seconds: float = _RETRY_SECONDS,
        clock: ServerClock | None = None,
    ) -> None:
        self._target = target
        self._tokens = tokens
        self._http = http
        self._backoff = backoff or Backoff()
        self._retry_seconds = retry_seconds
        self.clock = clock or ServerClock()

    async def _request(
        self,
        operation: str,
        request: requests.Request | Mapping[str, Any],
        response_type: type[Response],
        *,
        once: bool = False,
        path: Mapping[str, str] = _NO_PATH,
    ) -> Response:
        route = _ROUTES[operation]
        url = self._target.api_url + _path(route, path)
        once = once or operation in _ONCE
        give_up_at = time.monotonic() + self._retry_seconds
        attempt = 0
        refused: str | None = None
        while True:
            token = await self._tokens.access_token(refused=refused)
            try:
                status, headers, body = await self._exchange(route, url, request, token)
            except (aiohttp.ClientError, OSError, TimeoutError) as cause:
                error: ApiError | UnreachableError = UnreachableError(
                    "the HTTP API", str(cause) or type(cause).__name__
                )
                error.__cause__ = cause
                # A refused connection has certainly not reached the API.
                again = not once or isinstance(cause, aiohttp.ClientConnectorError)
                wait = self._backoff.delay(attempt)
            else:
                if status in route.status:
                    return _decoded(route, body, response_type, status)
                error = _error(status, headers, body, self.clock.now())
                if status == 401 and refused is None:
                    refused = token
                    continue
                again = status == 429 or (status >= 500 and not once)
                wait = self._backoff.delay(attempt)
                if isinstance(error, TooManyRequestsError):
                    wait = error.retry_after + wait
            if not again or time.monotonic() + wait > give_up_at:
                raise error
            attempt += 1
            await asyncio.sleep(wait)

    async def _exchange(
        self, route: Route, url: str, request: requests.Request | Mapping[str, Any], token: str
    ) -> tuple[int, Mapping[str, str], bytes]:
        headers = {"authorization": f"Bearer {token}"}
        arguments: dict[str, Any] = {}
        if route.query:
            fields = request if isinstance(request, Mapping) else msgspec.to_builtins(request)
            arguments["params"] = {name: str(value) for name, value in fields.items() if value is not None}
        elif route.request is not requests.EmptyRequest:
            headers["content-type"] = "application/json"
            arguments["data"] = msgspec.json.encode(request)
        async with self._http.request(route.method, url, headers=headers, timeout=_TIMEOUT, **arguments) as response:
            self.clock.take_date_header(response.headers.get("date"))
            return response.status, response.headers, await response.read()


def _path(route: Route, values: Mapping[str, str]) -> str:
    return route.path.format_map({name: quote(value, safe="") for name, value in values.items()})


def _decoded(route: Route, body: bytes, response_type: type[Response], status: int) -> Response:
    try:
        decoded = _DECODERS[route.operation].decode(body)
    except msgspec.DecodeError as error:
        raise ServerFaultError(status, "", f"invalid response to {route.operation}: {error}") from error
    assert isinstance(decoded, response_type)
    return decoded


def _error(status: int, headers: Mapping[str, str], body: bytes, now: float) -> ApiError:
    request_id = headers.get("apigw-requestid") or headers.get("x-amzn-requestid")
    try:
        failure = msgspec.json.decode(body, type=responses.Failure)
        body_error = failure.error
        error = error_class(status)(
            status, body_error.code, body_error.message, field=body_error.field, request_id=request_id
        )
        if isinstance(error, ConflictError) and failure.call is not UNSET:
            error.call = failure.call
    except msgspec.DecodeError:
        # The gateway's own error responses (no token, throttled) have no envelope.
        text = body[:200].decode(errors="replace")
        error = error_class(status)(status, "", text or "no message", request_id=request_id)
    if isinstance(error, TooManyRequestsError):
        error.retry_after = _seconds(headers.get("retry-after"), now)
    return error


def _seconds(retry_after: str | None, now: float) -> float:
    """Return the seconds that a Retry-After header names, 1 if it is missing or invalid (RFC 9110, 10.2.3)."""
    if retry_after is None:
        return 1.0
    if retry_after.isdigit():
        return float(retry_after)
    try:
        moment = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return 1.0
    return max(0.0, moment.timestamp() - now)
