"""The AppSync Events WebSocket: one connection that comes back by itself, with every subscription it had.

What a reconnection means for a client's data is not decided here: each subscription tells its owner when it is live
again, and the owner asks for what it may have missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import aiohttp

from client import protocol
from client.backoff import Backoff
from client.connection import Connection, authorization
from client.errors import (
    ClientError,
    ConnectionLostError,
    ConnectionRefusedByServerError,
    PublishRefusedError,
    SignedOutError,
    SubscriptionRefusedError,
    UnreachableError,
)
from client.session import TokenSource
from client.subscription import SocketState, Subscription
from client.targets import Target

_log = logging.getLogger(__name__)
_ACK_SECONDS = 15.0
_LASTED_SECONDS = 10.0
_LIFETIME_MARGIN_SECONDS = 10 * 60.0
_SUBSCRIBE_ATTEMPTS = 3
# Answers that a repetition cannot change; everything else counts as a passing fault of the server.
_FINAL_REASONS = frozenset({"Unauthorized", "UnauthorizedException", "BadRequestException", "NotFoundException"})


class EventsSocket:
    """The connection of one signed-in user.

    Args:
        target: names the Event API.
        tokens: gives access tokens.
        http: the connection pool to use; stays the caller's.
        on_state: called at each change of state, with the error that ended the connection, if any.
        backoff: waits between connections.
        ack_seconds: how long to wait for an acknowledgement.
        lifetime_seconds: age at which the connection is renewed, ahead of the server's own limit.
    """

    def __init__(
        self,
        target: Target,
        tokens: TokenSource,
        http: aiohttp.ClientSession,
        *,
        on_state: Callable[[SocketState, ClientError | None], None] | None = None,
        backoff: Backoff | None = None,
        ack_seconds: float = _ACK_SECONDS,
        lifetime_seconds: float = protocol.LIFETIME_SECONDS - _LIFETIME_MARGIN_SECONDS,
    ) -> None:
        self._target = target
        self._tokens = tokens
        self._http = http
        self._on_state = on_state
        self._backoff = backoff or Backoff(base=0.5, cap=20.0)
        self._ack_seconds = ack_seconds
        self._lifetime_seconds = lifetime_seconds
        self._subscriptions: dict[str, Subscription] = {}
        self._connection: Connection | None = None
        self._runner: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._failure: ClientError | None = None
        self._refused_token: str | None = None
        self.state = SocketState.CLOSED

    async def __aenter__(self) -> EventsSocket:
        self.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def start(self) -> None:
        """Begin to connect, and stay connected until `close`."""
        if self._runner is None or self._runner.done():
            self._failure = None
            self._enter(SocketState.CONNECTING)
            self._runner = asyncio.create_task(self._run(), name="events socket")

    async def close(self) -> None:
        """End the connection; whoever waits for an answer gets ConnectionLostError."""
        if self._runner is not None:
            self._runner.cancel()
            await asyncio.gather(self._runner, return_exceptions=True)
            self._runner = None
        self._give_up(ConnectionLostError("the connection was closed"))
        self._enter(SocketState.CLOSED)

    async def connected(self) -> None:
        """Wait until the connection is open and every subscription acknowledged.

        Raises:
            ConnectionRefusedByServerError, SignedOutError: it never will be with these credentials.
            ConnectionLostError: it is closed.
        """
        while self.state is not SocketState.CONNECTED:
            if self._failure is not None:
                raise self._failure
            if self.state is SocketState.CLOSED:
                raise ConnectionLostError("the connection is closed")
            await self._changed.wait()

    async def subscribe(
        self,
        channel: str,
        on_event: Callable[[Any], None],
        *,
        on_live: Callable[[], None] | None = None,
        on_lost_event: Callable[[], None] | None = None,
        on_refused: Callable[[SubscriptionRefusedError], None] | None = None,
    ) -> Subscription:
        """Subscribe to a channel, now and after every reconnection; return once it is acknowledged.

        Raises:
            SubscriptionRefusedError: the server said no.
            ConnectionRefusedByServerError, SignedOutError, ConnectionLostError: there is no connection to come.
        """
        if self._failure is not None:
            raise self._failure
        subscription = Subscription(uuid.uuid4().hex, channel, on_event, on_live, on_lost_event, on_refused)
        self._subscriptions[subscription.id] = subscription
        try:
            if self._connection is not None:
                with contextlib.suppress(ConnectionLostError):  # the next connection establishes it
                    await self._establish(subscription, self._connection)
            await subscription.settled
        except BaseException:
            self._subscriptions.pop(subscription.id, None)
            raise
        return subscription

    async def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription; its events stop at once on this side."""
        self._subscriptions.pop(subscription.id, None)
        if self._connection is None or not subscription.live:
            return
        subscription.live = False
        with contextlib.suppress(ConnectionLostError):  # with the connection the subscription ended as well
            await self._connection.ask(subscription.id, protocol.unsubscribe_frame(subscription.id))

    async def publish(self, channel: str, events: Sequence[Any]) -> protocol.Published:
        """Publish one to five events.

        Returns:
            What passed and what the handler failed.

        Raises:
            PublishRefusedError: nothing was published.
            ConnectionLostError: the connection ended before the answer; the events may have been published.
        """
        await self.connected()
        refused: str | None = None
        while True:
            token = await self._tokens.access_token(refused=refused)
            if self._connection is None:
                raise ConnectionLostError("the connection ended")
            id = uuid.uuid4().hex
            frame = protocol.publish_frame(id, channel, events, authorization(self._target, token))
            answer = await self._connection.ask(id, frame)
            if isinstance(answer, protocol.Published):
                return answer
            error = PublishRefusedError(f"publishing to {channel} was refused", _reasons_of(answer))
            if not error.unauthorized or refused is not None:
                raise error
            refused = token

    # The connection, over and over

    async def _run(self) -> None:
        attempt = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            self._enter(SocketState.CONNECTING)
            cause: ClientError = ConnectionLostError("the connection ended")
            try:
                await self._connect()
            except (SignedOutError, ConnectionRefusedByServerError) as error:
                if isinstance(error, SignedOutError) or error.final:
                    self._failure = error
                    self._give_up(error)
                    self._enter(SocketState.REFUSED, error)
                    return
                cause = error
            except ClientError as error:
                cause = error
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                cause = UnreachableError("the Event API", str(error) or type(error).__name__)
            except Exception as error:
                _log.exception("the Events socket met something unexpected and connects again")
                cause = ConnectionLostError(f"unexpected: {error!r}")
            self._lose()
            attempt = 0 if loop.time() - began > _LASTED_SECONDS else attempt + 1
            self._enter(SocketState.WAITING, cause)
            await asyncio.sleep(self._backoff.delay(max(attempt - 1, 0)))

    async def _connect(self) -> None:
        """Open one connection and read it to its end."""
        token = await self._tokens.access_token(refused=self._refused_token)
        connection = await self._open(token)
        self._connection = connection
        restoring = asyncio.create_task(self._restore(connection), name="events resubscribe")
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
            connection.lost(ConnectionLostError("the connection ended"))
            await connection.close()

    async def _open(self, token: str) -> Connection:
        try:
            connection = await Connection.open(self._http, self._target, token, ack_seconds=self._ack_seconds)
        except ConnectionRefusedByServerError as error:
            if error.final and self._refused_token is None:
                # The token may have been revoked or the clock be off: one more try with a new one.
                self._refused_token = token
                raise ConnectionLostError(str(error), error.reasons) from error
            raise
        self._refused_token = None
        return connection

    async def _read(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        renew_at = loop.time() + self._lifetime_seconds
        while (left := renew_at - loop.time()) > 0:
            frame = await connection.frame(within=left)
            if frame is not None:
                self._dispatch(frame, connection)

    def _restored(self, task: asyncio.Task[None], connection: Connection) -> None:
        if task.cancelled():
            return
        if task.exception() is not None:
            # Without its subscriptions the connection is of no use; the reader notices the end and reports why.
            self._ending = asyncio.create_task(connection.close())
        elif self._connection is connection:
            self._enter(SocketState.CONNECTED)

    async def _restore(self, connection: Connection) -> None:
        """Subscribe to everything again; a passing fault fails the whole connection, a refusal only its channel."""
        for subscription in list(self._subscriptions.values()):
            try:
                await self._establish(subscription, connection)
            except SubscriptionRefusedError as error:
                if subscription.on_refused is not None and subscription.settled.done():
                    subscription.on_refused(error)

    async def _establish(self, subscription: Subscription, connection: Connection) -> None:
        if subscription.sent_on is connection:
            return
        subscription.sent_on = connection
        refused: str | None = None
        for attempt in range(_SUBSCRIBE_ATTEMPTS):
            token = await self._tokens.access_token(refused=refused)
            credentials = authorization(self._target, token)
            frame = protocol.subscribe_frame(subscription.id, subscription.channel, credentials)
            answer = await connection.ask(subscription.id, frame)
            if isinstance(answer, protocol.Subscribed):
                return
            error = SubscriptionRefusedError(f"subscribing to {subscription.channel} was refused", _reasons_of(answer))
            if error.unauthorized and refused is None:
                refused = token
            elif any(reason.type in _FINAL_REASONS for reason in error.reasons):
                break
            else:
                await asyncio.sleep(self._backoff.delay(attempt))
        else:
            if subscription.settled.done():
                raise ConnectionLostError(str(error), error.reasons)
        self._subscriptions.pop(subscription.id, None)
        if not subscription.settled.done():
            subscription.settled.set_exception(error)
            subscription.settled.exception()  # the subscriber reads it; a cancelled one need not
            return
        raise error

    # Frames

    def _dispatch(self, frame: protocol.Frame, connection: Connection) -> None:
        subscription = self._subscriptions.get(getattr(frame, "id", None) or "")
        if isinstance(frame, protocol.Data):
            if subscription is not None:
                for event in frame.events:
                    _call(subscription.on_event, event)
        elif isinstance(frame, protocol.BroadcastFailed):
            if subscription is not None:
                _call(subscription.on_lost_event)
        else:
            if isinstance(frame, protocol.Subscribed) and subscription is not None:
                # Here, so that no event of this connection can come before its owner knows that it is live.
                subscription.live = True
                _call(subscription.on_live)
                if not subscription.settled.done():
                    subscription.settled.set_result(None)
            connection.answered(frame)

    # State

    def _enter(self, state: SocketState, cause: ClientError | None = None) -> None:
        if state is self.state:
            return
        self.state = state
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        _call(self._on_state, state, cause)

    def _lose(self) -> None:
        for subscription in self._subscriptions.values():
            subscription.live = False

    def _give_up(self, cause: ClientError) -> None:
        self._lose()
        for subscription in self._subscriptions.values():
            if not subscription.settled.done():
                subscription.settled.set_exception(cause)
                subscription.settled.exception()
        self._subscriptions.clear()


def _reasons_of(answer: protocol.Frame) -> tuple[Any, ...]:
    return tuple(getattr(answer, "reasons", ()))


def _call(callback: Callable[..., None] | None, *arguments: Any) -> None:
    """Call back; an owner's mistake must not end everybody's connection."""
    if callback is None:
        return
    try:
        callback(*arguments)
    except Exception:
        _log.exception("a callback of the Events socket failed")
