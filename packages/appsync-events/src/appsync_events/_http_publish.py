"""Publishes over HTTP: one to five events a request. Retries only when nothing can have been published.

Source: AppSync Events: "Publish events via HTTP".
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any, Final

import aiohttp

from appsync_events import _protocol, _results
from appsync_events._auth import Auth, OperationCredentials
from appsync_events._backoff import Backoff
from appsync_events._endpoint import Endpoint
from appsync_events._errors import ConnectionLostError, ProtocolError, PublishRefusedError, UnreachableError
from appsync_events._operations import http_operation
from appsync_events._results import PublishResult
from appsync_events._timeout import Timeout

_ATTEMPTS: Final = 4
_OK: Final = 200
_UNAUTHORIZED: Final = 401
_TOO_MANY_REQUESTS: Final = 429


class HttpPublisher:
    """Publishes to one Event API.

    Args:
        endpoint: of the API.
        http: returns the HTTP session.
        backoff: waits between attempts.
        timeout: time limits.
    """

    def __init__(
        self, endpoint: Endpoint, http: Callable[[], aiohttp.ClientSession], backoff: Backoff, timeout: Timeout
    ) -> None:
        self._endpoint = endpoint
        self._http = http
        self._backoff = backoff
        self._timeout = aiohttp.ClientTimeout(total=timeout.http_publish, connect=timeout.http_connect)

    async def publish(self, channel: str, events: Sequence[Any], auth: Auth) -> PublishResult:
        """Publish one to five events.

        Raises:
            PublishRefusedError: the API rejected the request.
            UnreachableError: the API could not be reached.
            ConnectionLostError: no response came; the events may have been published.
            ProtocolError: the response is not one of this protocol.
        """
        body = _protocol.publish_body(channel, events)
        credentials = OperationCredentials(auth, http_operation(self._endpoint, body))
        await credentials.load()
        attempt = 0
        while True:
            attempt += 1
            try:
                status, text = await self._post(body.encode(), credentials.headers)
            except aiohttp.ClientConnectorError as cause:
                if attempt == _ATTEMPTS:
                    raise UnreachableError(f"cannot connect to the Event API: {cause}") from cause
            except (aiohttp.ClientError, OSError, TimeoutError) as cause:
                message = f"no response to the publish: {str(cause) or type(cause).__name__}"
                raise ConnectionLostError(message) from cause
            else:
                if status == _OK:
                    return _result(text, len(events))
                error = _refusal(channel, status, text)
                if status == _UNAUTHORIZED and await credentials.renew():
                    continue
                if status != _TOO_MANY_REQUESTS or attempt == _ATTEMPTS:
                    raise error
            await asyncio.sleep(self._backoff.delay(attempt - 1))

    async def _post(self, body: bytes, authorization: dict[str, str]) -> tuple[int, str]:
        headers = {**_protocol.HTTP_HEADERS, **authorization}
        async with self._http().post(
            self._endpoint.http_url, data=body, headers=headers, timeout=self._timeout, allow_redirects=False
        ) as response:
            return response.status, await response.text()


def _result(text: str, count: int) -> PublishResult:
    try:
        answer = json.loads(text)
        return PublishResult(count, _results.accepted(answer.get("successful")), _results.failed(answer.get("failed")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProtocolError(f"invalid response to a publish: {text[:200]}") from error


def _refusal(channel: str, status: int, text: str) -> PublishRefusedError:
    what = f"the Event API rejected a publish to {channel} with status {status}"
    try:
        return PublishRefusedError(what, _protocol.reasons(json.loads(text).get("errors")), status=status)
    except (ValueError, TypeError, AttributeError):
        return PublishRefusedError(f"{what}: {text[:200]}", status=status)
