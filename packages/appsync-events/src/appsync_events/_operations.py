"""The HTTP requests that signatures cover: a real HTTP publish, and the requests that stand for WebSocket frames."""

from __future__ import annotations

from appsync_events import _protocol
from appsync_events._auth import Operation
from appsync_events._endpoint import Endpoint


def socket_operation(endpoint: Endpoint, body: str) -> Operation:
    """Return the operation of a WebSocket connection or frame.

    Args:
        endpoint: of the Event API.
        body: the result of the protocol's `connect_body`, `subscribe_body` or `publish_body`.
    """
    return Operation(endpoint.http_url, endpoint.host, endpoint.region, _protocol.SOCKET_HEADERS, body)


def http_operation(endpoint: Endpoint, body: str) -> Operation:
    """Return the operation of an HTTP publish; `body` is the exact text that is sent."""
    return Operation(endpoint.http_url, endpoint.host, endpoint.region, _protocol.HTTP_HEADERS, body)
