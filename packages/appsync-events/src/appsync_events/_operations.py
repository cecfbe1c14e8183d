"""The HTTP requests that credentials cover: one that is made, and those that frames of the socket stand for."""

from __future__ import annotations

from appsync_events import _protocol
from appsync_events._auth import Operation
from appsync_events._endpoint import Endpoint


def socket_operation(endpoint: Endpoint, body: str) -> Operation:
    """Return what a connection or frame stands for.

    Args:
        endpoint: of the Event API.
        body: one of the protocol's `connect_body`, `subscribe_body`, `publish_body`.
    """
    return Operation(endpoint.http_url, endpoint.host, endpoint.region, _protocol.SOCKET_HEADERS, body)


def http_operation(endpoint: Endpoint, body: str) -> Operation:
    """Return an HTTP publish; `body` is the exact text that is sent."""
    return Operation(endpoint.http_url, endpoint.host, endpoint.region, _protocol.HTTP_HEADERS, body)
