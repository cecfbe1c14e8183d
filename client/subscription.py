"""What is listened to, and in which state the connection for it is."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from client.connection import Connection
from client.errors import SubscriptionRefusedError


class SocketState(enum.Enum):
    """What the connection is doing. CONNECTED means that every subscription has been acknowledged."""

    CLOSED = "closed"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting to reconnect"
    REFUSED = "refused"


@dataclass(eq=False)
class Subscription:
    """One channel that is listened to, on whichever connection is open.

    `on_event` gets each decoded event; `on_live` is called at each acknowledgement, before any event that follows it
    on that connection; `on_lost_event` when the server says that it could not deliver one; `on_refused` when a
    reconnection finds that the channel is no longer allowed.
    """

    id: str
    channel: str
    on_event: Callable[[Any], None]
    on_live: Callable[[], None] | None = None
    on_lost_event: Callable[[], None] | None = None
    on_refused: Callable[[SubscriptionRefusedError], None] | None = None
    live: bool = False
    settled: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    sent_on: Connection | None = None
