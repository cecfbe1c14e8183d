"""All time limits of a client in one object."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

CONNECTION_LIFETIME_SECONDS: Final = 24 * 60 * 60.0
"""Age at which AppSync closes a connection (AppSync Events: WebSocket protocol)."""
_LIFETIME_MARGIN_SECONDS: Final = 10 * 60.0


@dataclass(frozen=True, kw_only=True)
class Timeout:
    """Time limits of a client, in seconds.

    `EventsClient.subscribe` has no limit of its own: it waits until the API can be reached. Bound it with
    `asyncio.timeout`.

    Attributes:
        connect: opening the socket: TCP, TLS and the WebSocket handshake.
        acknowledge: the API's answer to `connection_init`, `subscribe` and `unsubscribe`.
        publish: one publish request over the socket as a whole: connection, credentials, rate limit and answer.
        http_connect: opening a connection for a publish over HTTP.
        http_publish: one HTTP publish request as a whole.
        close: the WebSocket closing handshake.
        lifetime: age at which the client replaces a connection; below the API's own limit of 24 hours.

    Raises:
        ValueError: a limit is not a positive number.
    """

    connect: float = 15.0
    acknowledge: float = 15.0
    publish: float = 15.0
    http_connect: float = 5.0
    http_publish: float = 30.0
    close: float = 2.0
    lifetime: float = CONNECTION_LIFETIME_SECONDS - _LIFETIME_MARGIN_SECONDS

    def __post_init__(self) -> None:
        for field in fields(self):
            seconds = getattr(self, field.name)
            if not seconds > 0:
                raise ValueError(f"Timeout.{field.name} must be more than 0 seconds, not {seconds}")
