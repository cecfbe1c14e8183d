"""The client of one Event API: subscribe and publish over one socket that lasts, publish over HTTP."""

from __future__ import annotations

import uuid
import weakref
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import aiohttp

from appsync_events import _protocol
from appsync_events._auth import Auth
from appsync_events._backoff import Backoff
from appsync_events._endpoint import Endpoint
from appsync_events._errors import ConnectionLostError, EventsError, ProtocolError, PublishRefusedError
from appsync_events._http_publish import HttpPublisher
from appsync_events._reconnecting import LastingConnection
from appsync_events._results import NOTHING, Gap, PublishResult
from appsync_events._stream import EventStream
from appsync_events._subscription import ConnectionState, Subscription

_ACK_SECONDS: Final = 15.0
_LIFETIME_MARGIN_SECONDS: Final = 10 * 60.0
DEFAULT_STREAM_EVENTS: Final = 1_000
"""How many events a stream keeps for a consumer that is slower than they come."""


class EventsClient:
    """A client. Use it as `async with`; the socket is opened when something first needs it.

    Args:
        endpoint: the Event API's HTTP address (`https://…/event`, or the host alone), or both its addresses.
        auth: credentials for connecting, and for whatever brings none of its own.
        http: the connection pool to use; stays the caller's. Without one the client makes its own.
        on_state: called at each change of the connection's state, with the error that ended it, if any.
        backoff: waits between connections and between tries.
        ack_seconds: how long to wait for an acknowledgement.
        lifetime_seconds: age at which the connection is renewed, ahead of the server's limit of 24 hours.

    Raises:
        EndpointError: the address is none.
    """

    def __init__(
        self,
        endpoint: Endpoint | str,
        auth: Auth,
        *,
        http: aiohttp.ClientSession | None = None,
        on_state: Callable[[ConnectionState, EventsError | None], None] | None = None,
        backoff: Backoff | None = None,
        ack_seconds: float = _ACK_SECONDS,
        lifetime_seconds: float = _protocol.LIFETIME_SECONDS - _LIFETIME_MARGIN_SECONDS,
    ) -> None:
        self.endpoint = Endpoint.parse(endpoint) if isinstance(endpoint, str) else endpoint
        self._auth = auth
        self._http = http
        self._own_http = http is None
        waits = backoff or Backoff(base=0.5, cap=20.0)
        self._connection = LastingConnection(
            self.endpoint,
            auth,
            self._pool,
            on_state=on_state,
            backoff=waits,
            ack_seconds=ack_seconds,
            lifetime_seconds=lifetime_seconds,
        )
        self._publisher = HttpPublisher(self.endpoint, self._pool, waits)
        self._streams: weakref.WeakSet[EventStream] = weakref.WeakSet()
        self._closed = False

    async def __aenter__(self) -> EventsClient:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    @property
    def state(self) -> ConnectionState:
        """What the connection is doing."""
        return self._connection.state

    def start(self) -> None:
        """Begin to connect, without waiting. Whatever needs the connection does so itself.

        After the API refused the connection for good (state REFUSED) this begins anew; subscriptions are made anew.

        Raises:
            ConnectionLostError: the client is closed.
        """
        if self._closed:
            raise ConnectionLostError("the client is closed")
        self._connection.start()

    async def connected(self) -> None:
        """Connect, and wait until every subscription is acknowledged.

        Raises:
            ConnectionRefusedByServerError, NoCredentialsError: it never will be with these credentials.
        """
        self._ensure_started()
        await self._connection.connected()

    async def close(self) -> None:
        """End the client: streams end, and whoever waits or comes later gets ConnectionLostError."""
        self._closed = True
        await self._connection.close()
        for stream in list(self._streams):
            stream.end(None)
        if self._own_http and self._http is not None:
            await self._http.close()
            self._http = None

    # Subscribing

    async def subscribe(
        self,
        channel: str,
        on_event: Callable[[Any], None],
        *,
        on_gap: Callable[[Gap], None] | None = None,
        on_live: Callable[[], None] | None = None,
        on_refused: Callable[[EventsError], None] | None = None,
        auth: Auth | None = None,
    ) -> Subscription:
        """Subscribe to a channel, now and after every reconnection; return once the API has acknowledged it.

        That takes as long as the API cannot be reached; bound it with `asyncio.timeout` where that is too long.

        Args:
            channel: `/namespace/…`, with `*` as its last segment for everything below.
            on_event: called with each event, decoded.
            on_gap: called where events are missing, or may be.
            on_live: called at each acknowledgement, before the events that follow it.
            on_refused: called if a reconnection finds that this is no longer allowed: the subscription has ended.
            auth: credentials for this subscription; those of the connection if absent.

        Raises:
            SubscriptionRefusedError: the API said no.
            ConnectionRefusedByServerError, NoCredentialsError, ConnectionLostError: there is no connection to come.
            CredentialsError: the credentials of this subscription could not be had.
        """
        self._ensure_started()
        subscription = Subscription(uuid.uuid4().hex, channel, on_event, on_gap, on_live, on_refused, auth)
        await self._connection.subscribe(subscription)
        return subscription

    async def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription; its events stop at once. Doing it twice does no harm."""
        await self._connection.unsubscribe(subscription)

    def stream(
        self,
        channel: str,
        *,
        size: int = DEFAULT_STREAM_EVENTS,
        on_gap: Callable[[Gap], None] | None = None,
        auth: Auth | None = None,
    ) -> EventStream:
        """Subscribe to a channel and iterate: `async with client.stream(channel) as events: async for event in events`.

        Args:
            channel: as for `subscribe`.
            size: how many events are kept for a consumer that is slower than they come; beyond that the oldest go.
            on_gap: called in its place among the events, before the one that follows.
            auth: credentials for this subscription; those of the connection if absent.
        """
        stream = EventStream(self, channel, size=size, on_gap=on_gap, auth=auth)
        self._streams.add(stream)
        return stream

    # Publishing

    async def publish(self, channel: str, events: Sequence[Any], *, auth: Auth | None = None) -> PublishResult:
        """Publish over the socket. A list of more than five events takes several requests, in order.

        Args:
            channel: `/namespace/…`, without a wildcard.
            events: JSON values.
            auth: credentials for this publish; those of the connection if absent.

        Returns:
            What became of every event. It is worth reading: `failed` is not an exception here (`raise_for_failed`).

        Raises:
            PublishRefusedError: a request was refused; `earlier` says what became of those before it.
            ConnectionLostError: the connection ended before the answer; that request's events may have been published.
            UnreachableError: no connection came about in time; nothing of that request was published.
            ConnectionRefusedByServerError, CredentialsError: there is no connection, or no credentials.
            TypeError, ValueError: an event is no JSON value.
        """

        async def send(batch: Sequence[Any]) -> PublishResult:
            answer = await self._connection.publish(uuid.uuid4().hex, channel, batch, auth)
            if isinstance(answer, _protocol.Published):
                return PublishResult(len(batch), answer.successful, answer.failed)
            if isinstance(answer, _protocol.PublishRefused | _protocol.Complaint):
                raise PublishRefusedError(f"publishing to {channel} was refused", answer.reasons)
            raise ProtocolError(f"a publish was answered by {type(answer).__name__}")

        self._ensure_started()
        return await _in_batches(events, send)

    async def publish_http(self, channel: str, events: Sequence[Any], *, auth: Auth | None = None) -> PublishResult:
        """Publish over HTTP, for which no socket is needed; otherwise as `publish`.

        What was certainly not published is tried again (no connection, status 429); nothing else is, so that no event
        is published twice.

        Raises:
            PublishRefusedError: a request was refused; `status` and `earlier` say more.
            UnreachableError: the API cannot be reached; the request's events were not published.
            ConnectionLostError: no answer came; the request's events may have been published.
            CredentialsError: there are no credentials.
            TypeError, ValueError: an event is no JSON value.
        """
        return await _in_batches(events, lambda batch: self._publisher.publish(channel, batch, auth or self._auth))

    def _ensure_started(self) -> None:
        if self._connection.state is ConnectionState.CLOSED:
            self.start()

    def _pool(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession()
        return self._http


async def _in_batches(
    events: Sequence[Any], send: Callable[[Sequence[Any]], Awaitable[PublishResult]]
) -> PublishResult:
    """Publish a list in as many requests as it takes, one after the other."""
    result = NOTHING
    for start in range(0, len(events), _protocol.EVENTS_PER_PUBLISH):
        try:
            result += await send(events[start : start + _protocol.EVENTS_PER_PUBLISH])
        except (PublishRefusedError, ConnectionLostError) as error:
            error.earlier = result
            raise
    return result
