"""A subscription to iterate over, with a bounded store between the socket and a consumer that may be slower."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from appsync_events._auth import Auth
from appsync_events._errors import EventsError
from appsync_events._results import Gap, GapReason
from appsync_events._subscription import Subscription
from appsync_events._subscriptions import call

if TYPE_CHECKING:
    from appsync_events._client import EventsClient


class EventStream:
    """Events of one channel. `EventsClient.stream` makes them.

    A consumer that is too slow never slows down the socket, nor other subscriptions: the oldest events go, and a gap
    says how many. Iterating ends when the stream or its client is closed.
    """

    def __init__(
        self,
        client: EventsClient,
        channel: str,
        *,
        size: int,
        on_gap: Callable[[Gap], None] | None,
        auth: Auth | None,
    ) -> None:
        if size < 1:
            raise ValueError(f"a stream keeps at least one event, not {size}")
        self._client = client
        self._channel = channel
        self._size = size
        self._on_gap = on_gap
        self._auth = auth
        self._waiting: deque[Any] = deque()
        self._lost = 0
        self._gaps_lost = False
        self._arrived = asyncio.Event()
        self._ended = False
        self._cause: EventsError | None = None
        self._subscription: Subscription | None = None

    async def __aenter__(self) -> EventStream:
        """Subscribe.

        Raises:
            SubscriptionRefusedError, ConnectionRefusedByServerError, CredentialsError, ConnectionLostError: see
                `EventsClient.subscribe`.
        """
        self._subscription = await self._client.subscribe(
            self._channel, self._take, on_gap=self._take, on_refused=self.end, auth=self._auth
        )
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        """Return the next event, decoded.

        Raises:
            SubscriptionRefusedError, ConnectionRefusedByServerError, NoCredentialsError: the API no longer allows it.
            StopAsyncIteration: the stream or its client was closed.
        """
        while True:
            if self._lost or self._gaps_lost:
                gap = Gap(GapReason.SLOW_CONSUMER, None if self._gaps_lost else self._lost)
                self._lost, self._gaps_lost = 0, False
                call(self._on_gap, gap)
            if self._waiting:
                item = self._waiting.popleft()
                if not isinstance(item, Gap):
                    return item
                call(self._on_gap, item)
            elif self._ended:
                if self._cause is not None:
                    raise self._cause
                raise StopAsyncIteration
            else:
                self._arrived.clear()
                await self._arrived.wait()

    async def close(self) -> None:
        """Unsubscribe; whatever has not been taken is forgotten."""
        self.end(None)
        self._waiting.clear()
        if self._subscription is not None:
            await self._client.unsubscribe(self._subscription)

    def end(self, cause: EventsError | None) -> None:
        """Let nothing follow what has arrived; then `cause` is raised, if there is one."""
        if not self._ended:
            self._ended, self._cause = True, cause
            self._arrived.set()

    def _take(self, item: Any) -> None:
        if len(self._waiting) >= self._size:
            if isinstance(self._waiting.popleft(), Gap):
                self._gaps_lost = True  # from here on nobody can say how many events are missing
            else:
                self._lost += 1
        self._waiting.append(item)
        self._arrived.set()
