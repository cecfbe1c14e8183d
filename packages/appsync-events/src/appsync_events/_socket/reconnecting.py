"""A connection that reconnects automatically, with fresh credentials, and restores every subscription."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import aiohttp

from appsync_events import _protocol
from appsync_events._auth import Auth, OperationCredentials
from appsync_events._backoff import Backoff
from appsync_events._endpoint import Endpoint
from appsync_events._errors import (
    ConnectionLostError,
    ConnectionRefusedByServerError,
    EventsError,
    NoCredentialsError,
    UnreachableError,
)
from appsync_events._operations import socket_operation
from appsync_events._socket.connection import Connection
from appsync_events._socket.subscription import ConnectionState, Subscription
from appsync_events._socket.subscriptions import Subscriptions, call
from appsync_events._timeout import Timeout

Result = TypeVar("Result")
_log = logging.getLogger(__name__)
_STABLE_SECONDS: Final = 10.0
"""A connection that lasted this long resets the backoff."""


class ReconnectingConnection:
    """The connection of one client.

    Args:
        endpoint: of the Event API.
        auth: credentials for connecting, and for operations without their own.
        http: returns the HTTP session.
        on_state: called at each change of state, with the error that ended the connection, if any.
        backoff: waits between connections.
        timeout: time limits.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        auth: Auth,
        http: Callable[[], aiohttp.ClientSession],
        *,
        on_state: Callable[[ConnectionState, EventsError | None], None] | None,
        backoff: Backoff,
        timeout: Timeout,
    ) -> None:
        self._endpoint = endpoint
        self._auth = auth
        self._http = http
        self._on_state = on_state
        self._backoff = backoff
        self._timeout = timeout
        self._subscriptions = Subscriptions(endpoint, auth, backoff, timeout.acknowledge)
        self._connection: Connection | None = None
        self._runner: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._failure: EventsError | None = None
        self._refused: tuple[dict[str, str], EventsError] | None = None
        self.state = ConnectionState.CLOSED

    def start(self) -> None:
        """Connect in the background and reconnect until `close`; also restarts after a final refusal."""
        if self._runner is None or self._runner.done():
            self._failure = self._refused = None
            self._enter(ConnectionState.CONNECTING)
            self._runner = asyncio.create_task(self._run(), name="events connection")

    async def close(self) -> None:
        """Close the connection; pending requests fail with ConnectionLostError."""
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
            self._runner = None
        self._subscriptions.end(ConnectionLostError("the connection was closed"), refused=False)
        self._enter(ConnectionState.CLOSED)

    async def drop(self) -> None:
        """Close the open connection, so that the next one follows; nothing without an open connection."""
        if self._connection is not None:
            await self._connection.close()

    async def connected(self) -> Connection:
        """Wait until the connection is open and the API has acknowledged every subscription.

        Raises:
            ConnectionRefusedByServerError, NoCredentialsError: the API refuses these credentials for good.
            ConnectionLostError: the connection was closed.
        """
        while self.state is not ConnectionState.CONNECTED or self._connection is None:
            if self._failure is not None:
                raise self._failure
            if self.state is ConnectionState.CLOSED:
                raise ConnectionLostError("the connection is closed")
            await self._changed.wait()
        return self._connection

    async def subscribe(self, subscription: Subscription) -> None:
        """Subscribe, now and after every reconnection; return after the first acknowledgement.

        Raises:
            SubscriptionRefusedError: the API refused the subscription.
            ConnectionRefusedByServerError, NoCredentialsError, ConnectionLostError: the connection has ended for good.
            CredentialsError: the subscription's own credentials are not available.
        """
        if self._failure is not None:
            raise self._failure
        self._subscriptions.add(subscription)
        try:
            if self._connection is not None:
                with contextlib.suppress(ConnectionLostError):  # the next connection establishes it
                    await self._subscriptions.establish(subscription, self._connection)
            await subscription._settled
        except BaseException:
            self._subscriptions.discard(subscription)
            if subscription.live and self._connection is not None:
                self._connection.send_in_background(_protocol.unsubscribe_frame(subscription.id))
            raise

    async def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription; the client stops dispatching its events immediately."""
        self._subscriptions.discard(subscription)
        if self._connection is None or not subscription.live:
            return
        subscription.live = False
        frame = _protocol.unsubscribe_frame(subscription.id)
        with contextlib.suppress(ConnectionLostError):  # a lost connection has ended the subscription as well
            await self._connection.request(subscription.id, frame, self._timeout.acknowledge)

    async def publish(self, id: str, channel: str, events: Sequence[Any], auth: Auth | None) -> _protocol.Frame:
        """Send one publish request within the API's rate limit, and return the frame that answers it.

        Raises:
            ConnectionLostError: no answer came in time; the events may have been published.
            UnreachableError: the request could not be sent in time; nothing was published.
            ConnectionRefusedByServerError, CredentialsError: there is no connection, or no credentials.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self._timeout.publish
        operation = socket_operation(self._endpoint, _protocol.publish_body(channel, events))
        credentials = OperationCredentials(auth or self._auth, operation)
        connection = await self._before(ends_at, self.connected())
        await self._before(ends_at, credentials.load())
        while True:
            await self._before(ends_at, connection.publish_rate.acquire())
            frame = _protocol.publish_frame(id, channel, events, credentials.authorization)
            answer = await connection.request(id, frame, ends_at - loop.time())
            refused = isinstance(answer, _protocol.PublishRefused) and EventsError("", answer.reasons).unauthorized
            if not refused or not await self._before(ends_at, credentials.renew()):
                return answer

    async def _before(self, ends_at: float, work: Awaitable[Result]) -> Result:
        """Await what must precede a publish; the limit of the whole publish ends it."""
        try:
            async with asyncio.timeout_at(ends_at) as limit:
                return await work
        except TimeoutError as error:
            if not limit.expired():
                raise
            seconds = f"{self._timeout.publish:.0f} seconds"
            raise UnreachableError(f"could not send the publish to the Event API within {seconds}") from error

    # The reconnection loop

    async def _run(self) -> None:
        attempt = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            self._enter(ConnectionState.CONNECTING)
            cause: EventsError = ConnectionLostError("the connection ended")
            try:
                await self._connect()
            except (NoCredentialsError, ConnectionRefusedByServerError) as error:
                if isinstance(error, NoCredentialsError) or error.final:
                    self._failure = error
                    self._subscriptions.end(error, refused=True)
                    self._enter(ConnectionState.REFUSED, error)
                    return
                cause = error
            except EventsError as error:
                cause = error
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                cause = UnreachableError(f"cannot connect to the Event API: {str(error) or type(error).__name__}")
            except Exception as error:
                _log.exception("unexpected error in the Events client; reconnecting")
                cause = ConnectionLostError(f"unexpected error: {error!r}")
            self._subscriptions.mark_lost()
            attempt = 0 if loop.time() - began > _STABLE_SECONDS else attempt + 1
            self._enter(ConnectionState.WAITING, cause)
            await asyncio.sleep(self._backoff.delay(max(attempt - 1, 0)))

    async def _connect(self) -> None:
        """Open one connection and read its frames until it ends."""
        connection = await self._open()
        self._connection = connection
        restoring = asyncio.create_task(self._subscriptions.restore(connection), name="events resubscribe")
        restoring.add_done_callback(lambda task: self._restored(task, connection))
        try:
            await self._read(connection)
        except ConnectionLostError as error:
            failed = restoring.done() and not restoring.cancelled() and restoring.exception()
            raise failed or error from None
        finally:
            self._connection = None
            restoring.cancel()
            await asyncio.gather(restoring, return_exceptions=True)
            connection.fail_requests(ConnectionLostError("the connection ended"))
            await connection.close()

    async def _open(self) -> Connection:
        refused, refusal = self._refused or (None, None)
        operation = socket_operation(self._endpoint, _protocol.connect_body())
        headers = await self._auth.authorize(operation, refused=refused)
        if refusal is not None and headers == refused:
            raise refusal
        try:
            connection = await Connection.open(
                self._http(),
                self._endpoint.realtime_url,
                {"host": self._endpoint.host, **headers},
                self._timeout,
            )
        except ConnectionRefusedByServerError as error:
            if error.final and refusal is None:
                # The token may have been revoked, or the clock be wrong: retry once with a new token.
                self._refused = headers, error
                raise ConnectionLostError(str(error), error.reasons) from error
            raise
        self._refused = None
        return connection

    async def _read(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        renew_at = loop.time() + self._timeout.lifetime
        while (left := renew_at - loop.time()) > 0:
            frame = await connection.receive(within=left)
            if frame is not None:
                self._subscriptions.dispatch(frame, connection)

    def _restored(self, task: asyncio.Task[None], connection: Connection) -> None:
        if task.cancelled():
            return
        if task.exception() is not None:
            # The connection is useless without its subscriptions; `_read` then ends and reports the cause.
            self._ending = asyncio.create_task(connection.close())
        elif self._connection is connection:
            self._enter(ConnectionState.CONNECTED)

    def _enter(self, state: ConnectionState, cause: EventsError | None = None) -> None:
        if state is self.state:
            return
        self.state = state
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        call(self._on_state, state, cause)
