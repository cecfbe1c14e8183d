"""Publishing over HTTP: one request of one to five events, repeated only where nothing can have been published.

Source: AppSync Events: "Publish events via HTTP".
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any, Final

import aiohttp

from appsync_events import _protocol, _results
from appsync_events._auth import Auth, Renewal
from appsync_events._backoff import Backoff
from appsync_events._endpoint import Endpoint
from appsync_events._errors import ConnectionLostError, ProtocolError, PublishRefusedError, UnreachableError
from appsync_events._operations import http_operation
from appsync_events._results import PublishResult

_TIMEOUT: Final = aiohttp.ClientTimeout(total=30.0, connect=5.0)
_ATTEMPTS: Final = 4
_OK: Final = 200
_UNAUTHORIZED: Final = 401
_TOO_MANY_REQUESTS: Final = 429


class HttpPublisher:
    """Publishes to one Event API.

    Args:
        endpoint: of the API.
        http: gives the connection pool.
        backoff: waits between tries.
    """

    def __init__(self, endpoint: Endpoint, http: Callable[[], aiohttp.ClientSession], backoff: Backoff) -> None:
        self._endpoint = endpoint
        self._http = http
        self._backoff = backoff

    async def publish(self, channel: str, events: Sequence[Any], auth: Auth) -> PublishResult:
        """Publish one to five events.

        Raises:
            PublishRefusedError: the API refused them.
            UnreachableError: it could not be reached.
            ConnectionLostError: no answer came; they may have been published.
            ProtocolError: the answer is none of this protocol.
        """
        body = _protocol.publish_body(channel, events)
        renewal = Renewal(auth, http_operation(self._endpoint, body))
        await renewal.first()
        attempt = 0
        while True:
            attempt += 1
            try:
                status, text = await self._exchange(body.encode(), renewal.headers)
            except aiohttp.ClientConnectorError as cause:
                if attempt == _ATTEMPTS:
                    raise UnreachableError(f"the Event API cannot be reached: {cause}") from cause
            except (aiohttp.ClientError, OSError, TimeoutError) as cause:
                raise ConnectionLostError(f"no answer to the publish: {str(cause) or type(cause).__name__}") from cause
            else:
                if status == _OK:
                    return _result(text, len(events))
                error = _refusal(channel, status, text)
                if status == _UNAUTHORIZED and await renewal.renew():
                    continue
                if status != _TOO_MANY_REQUESTS or attempt == _ATTEMPTS:
                    raise error
            await asyncio.sleep(self._backoff.delay(attempt - 1))

    async def _exchange(self, body: bytes, authorization: dict[str, str]) -> tuple[int, str]:
        headers = {**_protocol.HTTP_HEADERS, **authorization}
        async with self._http().post(
            self._endpoint.http_url, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
        ) as response:
            return response.status, await response.text()


def _result(text: str, count: int) -> PublishResult:
    try:
        answer = json.loads(text)
        return PublishResult(count, _results.accepted(answer.get("successful")), _results.failed(answer.get("failed")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProtocolError(f"not an answer to a publish: {text[:200]}") from error


def _refusal(channel: str, status: int, text: str) -> PublishRefusedError:
    what = f"publishing to {channel} was refused with status {status}"
    try:
        return PublishRefusedError(what, _protocol.reasons(json.loads(text).get("errors")), status=status)
    except (ValueError, TypeError, AttributeError):
        return PublishRefusedError(f"{what}: {text[:200]}", status=status)
