"""One subscription, and the states of the connection."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from appsync_events._auth import Auth
from appsync_events._errors import EventsError
from appsync_events._gaps import Gap
from appsync_events._socket.connection import Connection


class ConnectionState(enum.Enum):
    """State of the connection. CONNECTED means that the API has acknowledged every subscription."""

    CLOSED = "closed"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting to reconnect"
    REFUSED = "refused"


@dataclass(eq=False)
class Subscription:
    """A subscription to one channel, kept across reconnections. `EventsClient.subscribe` creates it.

    Attributes:
        id: its id in the protocol; the same on every connection.
        channel: the channel, as passed to `subscribe`.
        on_event: called with each decoded event.
        on_gap: called when events are missing, or may be, before any event that follows them.
        on_live: called at each acknowledgement, before any event that follows it on that connection.
        on_refused: called when the subscription has ended because the API no longer allows it, or no longer allows
            the connection.
        auth: its credentials; None for those of the connection.
        live: whether the current connection has acknowledged it.
    """

    id: str
    channel: str
    on_event: Callable[[Any], None]
    on_gap: Callable[[Gap], None] | None = None
    on_live: Callable[[], None] | None = None
    on_refused: Callable[[EventsError], None] | None = None
    auth: Auth | None = None
    live: bool = False
    # For this package only: resolved by the first acknowledgement, or by the error that prevents it.
    _settled: asyncio.Future[None] = field(
        init=False, repr=False, default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    # For this package only: the connection on which `subscribe` was last sent.
    _sent_on: Connection | None = field(init=False, repr=False, default=None)
