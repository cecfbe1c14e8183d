"""One WebSocket connection: carries out the effects of the protocol's state machine."""

import asyncio
import itertools
import logging
import time
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, Final

from aiohttp import WSMsgType, web

from appsync_events_local.auth.credentials import lower_names
from appsync_events_local.auth.operation import EventOperation, RequestedOperation
from appsync_events_local.errors import Refusal
from appsync_events_local.http.upgrade import SessionSettings, UpgradeRequest
from appsync_events_local.protocol.connection import Connection
from appsync_events_local.protocol.effects import (
    AddSubscription,
    Authorize,
    AuthorizeConnect,
    CallPublish,
    CallSubscribe,
    Close,
    Effect,
    Identity,
    Operation,
    RefusalReport,
    RemoveSubscription,
    Send,
)
from appsync_events_local.protocol.frames import KEEP_ALIVE
from appsync_events_local.publish import pipeline
from appsync_events_local.publish.broker import SendBuffer, Subscription, Transport
from appsync_events_local.publish.faults import FaultEffect as FaultEffect
from appsync_events_local.publish.faults import FaultOperation, FaultTiming, LostByFault
from appsync_events_local.publish.served_api import ServedApi
from appsync_events_local.registry.service import Service

SOCKET: Final = "socket"
OPERATIONS_AT_ONCE: Final = 64
"""A connection with this many operations in progress is not read until one of them has ended."""
CLOSED_BY_PEER: Final = 1000

_NUMBERS = itertools.count(1)
_log = logging.getLogger(__name__)


class Session:
    """Runs one connection until it ends.

    Args:
        service: the service with all APIs.
        served: the API of this connection.
        socket: the upgraded socket.
        transport: its transport, which frames are written to.
        upgrade: the upgrade request.
        connect: its connect credentials, or the refusal if they cannot be read.
        settings: limits of connections.
    """

    def __init__(
        self,
        service: Service,
        served: ServedApi,
        socket: web.WebSocketResponse,
        transport: Transport,
        upgrade: UpgradeRequest,
        connect: Mapping[str, str] | Refusal,
        settings: SessionSettings,
    ) -> None:
        self._service = service
        self._served = served
        self._socket = socket
        self._upgrade = upgrade
        self._connect = connect
        self._loop = asyncio.get_running_loop()
        self.name = f"connection {next(_NUMBERS)}"
        self.opened_at = time.time()
        self.identity: Identity = None
        self.accepted = False
        self._send_buffer = SendBuffer(transport, service.flusher, settings.max_unsent_bytes, self.name)
        self._connection = Connection(
            served.has_namespace,
            self._loop.time(),
            keep_alive_seconds=settings.keep_alive_seconds,
            lifetime_seconds=settings.lifetime_seconds,
            publishes_per_second=settings.publishes_per_second,
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._own_code: int | None = None

    async def run(self) -> None:
        """Read until the connection ends, from either side."""
        self._served.connections.add(self)
        try:
            self._arm()
            async for message in self._socket:
                await self._receive(message.type, message.data)
        except Exception:
            _log.exception("%s aborted: internal error", self.name)
            self.abort()
        finally:
            self._served.connections.discard(self)
            self._apply(self._connection.end(CLOSED_BY_PEER, "client disconnected"))
            if self._timer is not None:
                self._timer.cancel()
            code = self._own_code or self._socket.close_code
            self._served.activity.disconnected(self.name, time.time() - self.opened_at, code)

    @property
    def channels(self) -> list[str]:
        """The channels of its subscriptions."""
        return [channel.path for channel in self._connection.subscriptions.values()]

    def end(self, code: int, reason: str) -> None:
        """Close the connection from this side."""
        self._apply(self._connection.end(code, reason))

    def drop_subscriptions(self, ids: Iterable[str]) -> None:
        """Forget subscriptions that the service has removed."""
        self._connection.drop_subscriptions(ids)

    def abort(self) -> None:
        """Abort the connection without a closing handshake."""
        self._send_buffer.abort()

    async def _receive(self, kind: WSMsgType, data: Any) -> None:
        if kind is WSMsgType.TEXT:
            self._apply(self._connection.receive(data, self._loop.time()))
        elif kind is WSMsgType.BINARY:
            self._apply(self._connection.receive_binary())
        if len(self._tasks) >= OPERATIONS_AT_ONCE:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    def _apply(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(text, refused):
                    self._send(text, refused)
                case Authorize(operation):
                    self._start(self._operate(operation))
                case AddSubscription(id, channel):
                    self._served.broker.add(Subscription(self, id, channel, self._send_buffer))
                case RemoveSubscription(id, channel):
                    self._remove(id, channel.path)
                case AuthorizeConnect():
                    self._start(self._authorize_connect())
                case Close(code, reason):
                    self._close(code, reason)
                case CallPublish() | CallSubscribe():
                    raise AssertionError("handler calls follow the authorisation of their operation, see _operate")
        self._arm()

    def _send(self, text: str, refused: RefusalReport | None) -> None:
        if refused is not None:
            self._served.activity.refused(refused.kind, self.name, refused.channel, refused.refusal)
        if text is KEEP_ALIVE and self._service.faults.rules:
            rule = self._service.faults.take(FaultOperation.KEEP_ALIVE, self._served.api.id, None, SOCKET)
            if rule is not None and rule.effect is FaultEffect.CLOSE:
                self.abort()
            if rule is not None and rule.effect in (FaultEffect.CLOSE, FaultEffect.DROP):
                return
            if rule is not None and rule.effect is FaultEffect.DELAY:
                self._loop.call_later(rule.delay_ms / 1000, self._send_buffer.send_text, text)
                return
        self._send_buffer.send_text(text)

    def _remove(self, subscription_id: str, path: str) -> None:
        self._served.broker.remove(self, subscription_id)
        if not self._connection.closed:
            self._served.activity.unsubscribed(self.name, path)

    def _close(self, code: int, reason: str) -> None:
        self._send_buffer.flush()
        if not self._socket.closed:
            self._own_code = code
            self._start(self._close_socket(code, reason))

    async def _close_socket(self, code: int, reason: str) -> None:
        await self._socket.close(code=code, message=reason.encode()[:123])

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            _log.exception("%s aborted: internal error in an operation", self.name)
            self.abort()

    def _arm(self) -> None:
        if self._connection.closed:
            return
        at = self._connection.next_deadline()
        if self._timer is not None and self._timer_at == at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_at(at, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._apply(self._connection.tick(self._loop.time()))

    async def _authorize_connect(self) -> None:
        try:
            await self._service.faults.apply(FaultOperation.CONNECT, self._served.api.id, None, SOCKET)
            self._served.rates.count_connection()
            if isinstance(self._connect, Refusal):
                raise self._connect
            credentials = self._upgrade.credentials(self._connect, {}, connect=True)
            allowed = self._served.api.connect_modes
            call = RequestedOperation(EventOperation.CONNECT, None, self._upgrade.headers)
            identity = await self._service.authorize(self._served, allowed, credentials, call)
        except Refusal as refusal:
            self._apply(self._connection.connect_refused(refusal))
        except LostByFault as lost:
            if lost.abort:
                self.abort()
        else:
            self.identity, self.accepted = identity, True
            self._served.activity.connected(self.name, identity)
            self._apply(self._connection.connect_accepted(self._loop.time()))

    async def _operate(self, operation: Operation) -> None:
        target = FaultOperation(operation.kind)
        try:
            await self._service.faults.apply(target, self._served.api.id, operation.channel.path, SOCKET)
            publishing = operation.kind == "publish"
            modes = self._served.publish_modes if publishing else self._served.subscribe_modes
            credentials = self._upgrade.credentials(
                lower_names(operation.authorization), operation.signed_body(), connect=False
            )
            wanted = EventOperation.PUBLISH if publishing else EventOperation.SUBSCRIBE
            call = RequestedOperation(wanted, operation.channel, self._upgrade.headers)
            identity = await self._service.authorize(self._served, modes(operation.channel), credentials, call)
            await self._call(self._connection.authorized(operation, identity))
        except Refusal as refusal:
            self._apply(self._connection.refused(operation, refusal))
        except LostByFault as lost:
            self._connection.abandon(operation)
            if lost.abort:
                self.abort()

    async def _call(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case CallPublish(operation):
                    await self._publish(operation)
                case CallSubscribe(operation):
                    await self._subscribe(operation)
                case _:
                    self._apply([effect])

    async def _publish(self, operation: Operation) -> None:
        caller = pipeline.Caller(operation.identity, self._upgrade.headers, self.name)
        intercept = self._service.faults.deliveries(self._served.api.id, operation.channel.path)
        result = await pipeline.publish(self._served, operation.channel, operation.events, caller, intercept)
        await self._service.faults.apply(
            FaultOperation.PUBLISH, self._served.api.id, operation.channel.path, SOCKET, FaultTiming.AFTER
        )
        self._apply(self._connection.published(operation, result))

    async def _subscribe(self, operation: Operation) -> None:
        caller = pipeline.Caller(operation.identity, self._upgrade.headers, self.name)
        try:
            handled = await pipeline.subscribe(self._served, operation.channel, caller)
            self._served.namespace_of(operation.channel)
        except Refusal as refusal:
            self._apply(self._connection.subscribe_failed(operation, refusal))
            return
        except BaseException:
            self._connection.abandon(operation)
            raise
        self._served.activity.subscribed(self.name, operation.channel.path, operation.identity, handled=handled)
        self._apply(self._connection.subscribed(operation))
