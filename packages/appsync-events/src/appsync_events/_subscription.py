"""What is listened to, and in which state the connection for it is."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from appsync_events._auth import Auth
from appsync_events._connection import Connection
from appsync_events._errors import EventsError
from appsync_events._results import Gap


class ConnectionState(enum.Enum):
    """What the connection is doing. CONNECTED means that every subscription has been acknowledged."""

    CLOSED = "closed"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting to reconnect"
    REFUSED = "refused"


@dataclass(eq=False)
class Subscription:
    """One channel that is listened to, on whichever connection is open. `EventsClient.subscribe` makes them.

    Attributes:
        id: its id on the wire; the same on every connection.
        channel: the channel, as it was given.
        on_event: gets each decoded event.
        on_gap: called where events are missing, or may be: before any event that follows them.
        on_live: called at each acknowledgement, before any event that follows it on that connection.
        on_refused: called when the subscription has ended because the API no longer allows it, or no longer allows
            the connection.
        auth: its credentials, where they are not the connection's.
        live: whether the present connection has acknowledged it.
    """

    id: str
    channel: str
    on_event: Callable[[Any], None]
    on_gap: Callable[[Gap], None] | None = None
    on_live: Callable[[], None] | None = None
    on_refused: Callable[[EventsError], None] | None = None
    auth: Auth | None = None
    live: bool = False
    settled: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future(), repr=False
    )
    sent_on: Connection | None = field(default=None, repr=False)
