"""An async iterator over the events of one subscription, with a bounded buffer for slow consumers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

from appsync_events._auth import Auth
from appsync_events._errors import EventsError
from appsync_events._gaps import Gap, GapReason
from appsync_events._socket.subscription import Subscription
from appsync_events._socket.subscriptions import call


class Subscriber(Protocol):
    """Subscribes and unsubscribes; `EventsClient` implements it."""

    async def subscribe(
        self,
        channel: str,
        on_event: Callable[[Any], None],
        *,
        on_gap: Callable[[Gap], None] | None = None,
        on_refused: Callable[[EventsError], None] | None = None,
        auth: Auth | None = None,
    ) -> Subscription:
        """Subscribe to a channel; see `EventsClient.subscribe`."""
        ...

    async def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription; see `EventsClient.unsubscribe`."""
        ...


class EventStream:
    """The events of one channel as an async iterator. `EventsClient.stream` creates it.

    A slow consumer delays neither the socket nor other subscriptions: a full buffer discards its oldest events, and a
    gap reports how many. Iteration ends when the stream or its client is closed.
    """

    def __init__(
        self,
        client: Subscriber,
        channel: str,
        *,
        size: int,
        on_gap: Callable[[Gap], None] | None,
        auth: Auth | None,
    ) -> None:
        if size < 1:
            raise ValueError(f"size must be at least 1 event, not {size}")
        self._client = client
        self._channel = channel
        self._size = size
        self._on_gap = on_gap
        self._auth = auth
        self._buffer: deque[Any] = deque()
        self._lost = 0
        self._gap_lost = False
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
            self._channel, self._put, on_gap=self._put, on_refused=self.end, auth=self._auth
        )
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def __aiter__(self) -> AsyncIterator[Any]:
        """Return the stream itself."""
        return self

    async def __anext__(self) -> Any:
        """Return the next event, decoded.

        Raises:
            SubscriptionRefusedError, ConnectionRefusedByServerError, NoCredentialsError: the API no longer allows it.
            StopAsyncIteration: the stream or its client was closed.
        """
        while True:
            if self._lost or self._gap_lost:
                gap = Gap(GapReason.SLOW_CONSUMER, None if self._gap_lost else self._lost)
                self._lost, self._gap_lost = 0, False
                call(self._on_gap, gap)
            if self._buffer:
                item = self._buffer.popleft()
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
        """Unsubscribe and discard buffered events."""
        self.end(None)
        self._buffer.clear()
        if self._subscription is not None:
            await self._client.unsubscribe(self._subscription)

    def end(self, cause: EventsError | None) -> None:
        """End the iteration after the buffered events; it raises `cause`, if there is one."""
        if not self._ended:
            self._ended, self._cause = True, cause
            self._arrived.set()

    def _put(self, item: Any) -> None:
        if len(self._buffer) >= self._size:
            if isinstance(self._buffer.popleft(), Gap):
                self._gap_lost = True  # from here on the number of missing events is unknown
            else:
                self._lost += 1
        self._buffer.append(item)
        self._arrived.set()
