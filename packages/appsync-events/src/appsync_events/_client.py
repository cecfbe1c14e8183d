"""The client of one Event API: subscribes and publishes over one WebSocket, publishes over HTTP."""

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
from appsync_events._gaps import Gap
from appsync_events._http_publish import HttpPublisher
from appsync_events._results import NOTHING, PublishResult
from appsync_events._socket.reconnecting import ReconnectingConnection
from appsync_events._socket.stream import EventStream
from appsync_events._socket.subscription import ConnectionState, Subscription
from appsync_events._timeout import Timeout

DEFAULT_STREAM_SIZE: Final = 1_000
"""How many events a stream buffers by default."""


class EventsClient:
    """A client of one Event API. Use it with `async with`; the first operation that needs the WebSocket opens it.

    Args:
        endpoint: the Event API's HTTP address (`https://…/event`, or the host alone), or an `Endpoint`.
        auth: credentials for connecting, and for operations without their own.
        http: the HTTP session to use; the client does not close it. Without one the client creates its own.
        on_state: called at each change of the connection's state, with the error that ended it, if any.
        backoff: waits between connections and between attempts.
        timeout: time limits; see `Timeout` for the defaults.

    Raises:
        EndpointError: the address is invalid.
    """

    endpoint: Endpoint

    def __init__(
        self,
        endpoint: Endpoint | str,
        auth: Auth,
        *,
        http: aiohttp.ClientSession | None = None,
        on_state: Callable[[ConnectionState, EventsError | None], None] | None = None,
        backoff: Backoff | None = None,
        timeout: Timeout | None = None,
    ) -> None:
        self.endpoint = Endpoint.parse(endpoint) if isinstance(endpoint, str) else endpoint
        self._auth = auth
        self._http = http
        self._own_http = http is None
        backoff = backoff or Backoff(base=0.5, cap=20.0)
        timeout = timeout or Timeout()
        self._connection = ReconnectingConnection(
            self.endpoint, auth, self._session, on_state=on_state, backoff=backoff, timeout=timeout
        )
        self._publisher = HttpPublisher(self.endpoint, self._session, backoff, timeout)
        self._streams: weakref.WeakSet[EventStream] = weakref.WeakSet()
        self._closed = False

    async def __aenter__(self) -> EventsClient:
        """Return the client; the socket is opened later."""
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    @property
    def state(self) -> ConnectionState:
        """State of the connection."""
        return self._connection.state

    def start(self) -> None:
        """Connect in the background. Operations that need the connection call this themselves.

        After a final refusal (state REFUSED) this connects again; the application subscribes again.

        Raises:
            ConnectionLostError: the client is closed.
        """
        if self._closed:
            raise ConnectionLostError("the client is closed")
        self._connection.start()

    async def connected(self) -> None:
        """Connect, and wait until the API has acknowledged every subscription.

        Raises:
            ConnectionRefusedByServerError, NoCredentialsError: the API refuses these credentials for good.
            ConnectionLostError: the client is closed.
        """
        self._ensure_started()
        await self._connection.connected()

    async def reconnect(self) -> None:
        """Close the connection and connect again, for example after a change of network; returns at once.

        A lost connection has the same consequences: a wait before the next attempt, and gap reports of the
        subscriptions. Nothing happens while there is no open connection.
        """
        await self._connection.drop()

    async def close(self) -> None:
        """Close the client: streams end, and pending and later operations fail with ConnectionLostError."""
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
        """Subscribe to a channel, now and after every reconnection; return after the first acknowledgement.

        This waits as long as the API cannot be reached; bound it with `asyncio.timeout`.

        Args:
            channel: `/namespace/…`; `*` as the last segment subscribes to every channel below.
            on_event: called with each event, decoded.
            on_gap: called when events are missing, or may be, before any event that follows them.
            on_live: called at each acknowledgement, before the events that follow it.
            on_refused: called if the API no longer allows the subscription at a reconnection; it has ended.
            auth: credentials for this subscription; by default those of the client.

        Raises:
            SubscriptionRefusedError: the API refused the subscription.
            ConnectionRefusedByServerError, NoCredentialsError, ConnectionLostError: the connection has ended for good.
            CredentialsError: the credentials of this subscription are not available.
        """
        self._ensure_started()
        subscription = Subscription(uuid.uuid4().hex, channel, on_event, on_gap, on_live, on_refused, auth)
        await self._connection.subscribe(subscription)
        return subscription

    async def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription; its events stop immediately. Idempotent."""
        await self._connection.unsubscribe(subscription)

    def stream(
        self,
        channel: str,
        *,
        size: int = DEFAULT_STREAM_SIZE,
        on_gap: Callable[[Gap], None] | None = None,
        auth: Auth | None = None,
    ) -> EventStream:
        """Subscribe to a channel and iterate: `async with client.stream(channel) as events: async for event in events`.

        Args:
            channel: as for `subscribe`.
            size: how many events to buffer for a slow consumer; a full buffer discards the oldest.
            on_gap: called during iteration, before the first event after the gap.
            auth: credentials for this subscription; by default those of the client.

        Raises:
            ValueError: the size is less than 1.
        """
        stream = EventStream(self, channel, size=size, on_gap=on_gap, auth=auth)
        self._streams.add(stream)
        return stream

    # Publishing

    async def publish(self, channel: str, events: Sequence[Any], *, auth: Auth | None = None) -> PublishResult:
        """Publish over the socket, five events a request, in order, at most 25 requests a second.

        Args:
            channel: `/namespace/…`, without a wildcard.
            events: JSON values.
            auth: credentials for this publish; by default those of the client.

        Returns:
            The result of every event. Failed events do not raise; call `raise_for_failed` on the result for that.

        Raises:
            PublishRefusedError: the API rejected a request; `earlier` is the result of the requests before it.
            ConnectionLostError: no answer came in time; that request's events may have been published.
            UnreachableError: the request could not be sent in time; nothing of it was published.
            ConnectionRefusedByServerError, CredentialsError: there is no connection, or no credentials.
            TypeError, ValueError: an event is not a JSON value.
        """

        async def send(batch: Sequence[Any]) -> PublishResult:
            answer = await self._connection.publish(uuid.uuid4().hex, channel, batch, auth)
            if isinstance(answer, _protocol.Published):
                return PublishResult(len(batch), answer.successful, answer.failed)
            if isinstance(answer, _protocol.PublishRefused | _protocol.ErrorFrame):
                raise PublishRefusedError(f"the Event API rejected a publish to {channel}", answer.reasons)
            raise ProtocolError(f"the answer to a publish was {type(answer).__name__}")

        self._ensure_started()
        return await _in_batches(events, send)

    async def publish_http(self, channel: str, events: Sequence[Any], *, auth: Auth | None = None) -> PublishResult:
        """Publish over HTTP, without opening the socket; arguments and result as for `publish`.

        Only requests that certainly published nothing are retried (no connection, status 429), so that no event is
        published twice.

        Raises:
            PublishRefusedError: the API rejected a request; `status` is the HTTP status, `earlier` the result of the
                requests before it.
            UnreachableError: the API cannot be reached; the request's events were not published.
            ConnectionLostError: no response came; the request's events may have been published.
            CredentialsError: no credentials are available.
            TypeError, ValueError: an event is not a JSON value.
        """
        return await _in_batches(events, lambda batch: self._publisher.publish(channel, batch, auth or self._auth))

    def _ensure_started(self) -> None:
        if self._connection.state is ConnectionState.CLOSED:
            self.start()

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            self._http = aiohttp.ClientSession()
        return self._http


async def _in_batches(
    events: Sequence[Any], send: Callable[[Sequence[Any]], Awaitable[PublishResult]]
) -> PublishResult:
    """Publish a list in requests of at most five events, one after the other."""
    result = NOTHING
    for start in range(0, len(events), _protocol.EVENTS_PER_PUBLISH):
        try:
            result += await send(events[start : start + _protocol.EVENTS_PER_PUBLISH])
        except (PublishRefusedError, ConnectionLostError) as error:
            error.earlier = result
            raise
    return result
