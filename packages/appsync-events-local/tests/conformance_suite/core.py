"""Runs rows against the protocol core, without socket, HTTP server or real time.

Handlers, authorisation and fan-out are the real ones; only the work of `Session` with a socket is replaced by lists.
The core decides about sent frames when the client reads the next answer, so a client is never slower than a rate limit.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from appsync_events_local.auth.credentials import Credentials as PresentedCredentials
from appsync_events_local.auth.credentials import lower_names
from appsync_events_local.auth.operation import EventOperation, RequestedOperation
from appsync_events_local.errors import Refusal
from appsync_events_local.model.auth_providers import AuthMode
from appsync_events_local.protocol.connection import Connection
from appsync_events_local.protocol.effects import (
    AddSubscription,
    Authorize,
    AuthorizeConnect,
    CallPublish,
    CallSubscribe,
    Close,
    Effect,
    Operation,
    RemoveSubscription,
    Send,
)
from appsync_events_local.publish import pipeline
from appsync_events_local.publish.broker import SendBuffer, Subscription
from appsync_events_local.publish.served_api import ServedApi
from appsync_events_local.registry.service import Service
from conformance_suite.runner import Response
from conformance_suite.signing import ApiAccess, credential_headers
from conformance_suite.table import Credentials
from service_harness.frames import frames

PATHS: Final = ("/event",)
SOURCE: Final = "127.0.0.1"
UNSENT: Final = 1 << 26


class RecordingTransport:
    """A transport whose receiver reads everything at once."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        self.data += data

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        raise AssertionError("the connection of a receiver that reads everything was cut")


class CoreConnection:
    """Executes the effects of one connection of the core, one after the other."""

    selected = None

    def __init__(self, driver: CoreDriver, connect: Mapping[str, str]) -> None:
        self._driver = driver
        self._connect = connect
        self._written = RecordingTransport()
        self._outbox = SendBuffer(self._written, driver.service.flusher, UNSENT, "a connection")
        self._connection = Connection(driver.live.has_namespace, driver.now)
        self._pending: deque[Effect] = deque()
        self._received: deque[dict[str, Any]] = deque()
        self._close: Close | None = None

    async def send(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            self._take(self._connection.receive_binary())
        else:
            self._take(self._connection.receive(data, self._driver.now))

    async def receive(self) -> dict[str, Any]:
        await self._driver.decide()
        self._outbox.flush()
        self._received += map(json.loads, frames(bytes(self._written.data)))
        self._written.data.clear()
        if self._received:
            return self._received.popleft()
        if self._close is not None:
            return {"type": "closed", "code": self._close.code}
        raise AssertionError("no frame was sent, and no operation is pending")

    def tick(self) -> None:
        self._take(self._connection.tick(self._driver.now))

    def end(self) -> None:
        self._take(self._connection.end(1000, "client closed"))

    async def decide(self) -> None:
        """Decide every pending operation and those that follow from it."""
        while self._pending:
            match self._pending.popleft():
                case AuthorizeConnect():
                    await self._authorize_connect()
                case Authorize(operation):
                    await self._authorize(operation)
                case CallSubscribe(operation):
                    await self._subscribe(operation)
                case CallPublish(operation):
                    await self._publish(operation)

    def _take(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(text):
                    self._outbox.send_text(text)
                case AddSubscription(id, channel):
                    self._driver.live.broker.add(Subscription(self, id, channel, self._outbox))
                case RemoveSubscription(id, _):
                    self._driver.live.broker.remove(self, id)
                case Close():
                    self._close = effect
                case _:
                    self._pending.append(effect)

    async def _authorize_connect(self) -> None:
        try:
            call = RequestedOperation(EventOperation.CONNECT, None)
            await self._driver.authorize(self._connect, {}, self._driver.live.api.connect_modes, call)
        except Refusal as refusal:
            self._take(self._connection.connect_refused(refusal))
        else:
            self._take(self._connection.connect_accepted(self._driver.now))

    async def _authorize(self, operation: Operation) -> None:
        live = self._driver.live
        publishing = operation.kind == "publish"
        modes = live.publish_modes if publishing else live.subscribe_modes
        wanted = EventOperation.PUBLISH if publishing else EventOperation.SUBSCRIBE
        call = RequestedOperation(wanted, operation.channel)
        try:
            identity = await self._driver.authorize(
                operation.authorization, operation.signed_body(), modes(operation.channel), call
            )
        except Refusal as refusal:
            self._take(self._connection.refused(operation, refusal))
        else:
            self._take(self._connection.authorized(operation, identity))

    async def _subscribe(self, operation: Operation) -> None:
        caller = pipeline.Caller(operation.identity, {}, "a connection")
        try:
            await pipeline.subscribe(self._driver.live, operation.channel, caller)
        except Refusal as refusal:
            self._take(self._connection.subscribe_failed(operation, refusal))
        else:
            self._take(self._connection.subscribed(operation))

    async def _publish(self, operation: Operation) -> None:
        caller = pipeline.Caller(operation.identity, {}, "a connection")
        try:
            result = await pipeline.publish(self._driver.live, operation.channel, operation.events, caller)
        except Refusal as refusal:
            self._take(self._connection.refused(operation, refusal))
        else:
            self._take(self._connection.published(operation, result))


class CoreDriver:
    """Access to the core.

    Args:
        service: a service with the API of `api.template`.
        live: that API.
        access: the API's good credentials.
    """

    def __init__(self, service: Service, live: ServedApi, access: ApiAccess) -> None:
        self.service = service
        self.live = live
        self.now = 0.0
        self._access = access
        self._connections: list[CoreConnection] = []

    def credentials(self, by: Credentials, signed: str) -> dict[str, str]:
        return credential_headers(self._access, by, signed)

    async def authorize(
        self,
        headers: Mapping[str, Any],
        signed: Mapping[str, Any],
        modes: frozenset[AuthMode],
        call: RequestedOperation,
    ) -> Mapping[str, Any] | None:
        """Authorise a call as the service does; connect credentials must name the host."""
        hosts = frozenset({self._access.host})
        connecting = call.operation is EventOperation.CONNECT
        presented = PresentedCredentials(
            lower_names(headers), SOURCE, PATHS, signed, hosts=hosts, host_required=connecting
        )
        return await self.service.authorize(self.live, modes, presented, call)

    async def open(self, connect: dict[str, str]) -> CoreConnection:
        connection = CoreConnection(self, lower_names(connect))
        self._connections.append(connection)
        return connection

    def close(self) -> None:
        """End every connection that a row left open."""
        for connection in self._connections:
            connection.end()

    async def decide(self) -> None:
        for connection in self._connections:
            await connection.decide()

    async def wait(self, seconds: float) -> None:
        await self.decide()
        self.now += seconds
        for connection in self._connections:
            connection.tick()

    async def await_deliveries(self) -> None:
        """Return at once: every delivery is decided when it is read."""

    async def upgrade(self, offers: list[str], headers: Mapping[str, str]) -> CoreConnection:
        raise NotImplementedError("rows with an upgrade do not run on the core")

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Response:
        raise NotImplementedError("rows with HTTP do not run on the core")

    async def ask(self, method: str, path: str, headers: Mapping[str, str]) -> Response:
        raise NotImplementedError("rows with HTTP do not run on the core")
