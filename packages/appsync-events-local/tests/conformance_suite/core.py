"""The protocol core with everything behind it and nothing before it: no socket, no HTTP server, no passing of time.

Real handlers, real authorisation, real fan-out; only what `Session` does with a socket is done here with a list. What
was sent is decided when an answer is read, so a client can be as quick as it likes.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from appsync_events_local.auth.credentials import Credentials, lower_names
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
from conformance_suite.run import Answer
from conformance_suite.signing import Signers, credentials
from conformance_suite.table import As
from service_harness.frames import frames

PATHS: Final = ("/event",)
SOURCE: Final = "127.0.0.1"
UNSENT: Final = 1 << 26


class Written:
    """A transport whose other end reads everything at once."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        self.data += data

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        raise AssertionError("a reader that reads everything was cut")


class CorePeer:
    """Carries out what the core decides, one decision after the other."""

    selected = None

    def __init__(self, stage: CoreStage, connect: Mapping[str, str]) -> None:
        self._stage = stage
        self._connect = connect
        self._written = Written()
        self._outbox = SendBuffer(self._written, stage.service.flusher, UNSENT, "a connection")
        self._connection = Connection(stage.live.has_namespace, stage.now)
        self._undecided: deque[Effect] = deque()
        self._received: deque[dict[str, Any]] = deque()
        self._close: Close | None = None

    async def send(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            self._take(self._connection.receive_binary())
        else:
            self._take(self._connection.receive(data, self._stage.now))

    async def receive(self) -> dict[str, Any]:
        await self._stage.decide()
        self._outbox.flush()
        self._received += map(json.loads, frames(bytes(self._written.data)))
        self._written.data.clear()
        if self._received:
            return self._received.popleft()
        if self._close is not None:
            return {"type": "closed", "code": self._close.code}
        raise AssertionError("nothing was sent, and nothing is under way")

    def tick(self) -> None:
        self._take(self._connection.tick(self._stage.now))

    def end(self) -> None:
        self._take(self._connection.end(1000, "client has gone"))

    async def decide(self) -> None:
        """Decide everything that is under way, and what follows from it."""
        while self._undecided:
            match self._undecided.popleft():
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
                    self._stage.live.broker.add(Subscription(self, id, channel, self._outbox))
                case RemoveSubscription(id, _):
                    self._stage.live.broker.remove(self, id)
                case Close():
                    self._close = effect
                case _:
                    self._undecided.append(effect)

    async def _authorize_connect(self) -> None:
        try:
            call = RequestedOperation(EventOperation.CONNECT, None)
            await self._stage.authorize(self._connect, {}, self._stage.live.api.connect_modes, call)
        except Refusal as refusal:
            self._take(self._connection.connect_refused(refusal))
        else:
            self._take(self._connection.connect_accepted(self._stage.now))

    async def _authorize(self, operation: Operation) -> None:
        live = self._stage.live
        publishing = operation.kind == "publish"
        modes = live.publish_modes if publishing else live.subscribe_modes
        wanted = EventOperation.PUBLISH if publishing else EventOperation.SUBSCRIBE
        call = RequestedOperation(wanted, operation.channel)
        try:
            identity = await self._stage.authorize(
                operation.authorization, operation.signed_body(), modes(operation.channel), call
            )
        except Refusal as refusal:
            self._take(self._connection.refused(operation, refusal))
        else:
            self._take(self._connection.authorized(operation, identity))

    async def _subscribe(self, operation: Operation) -> None:
        caller = pipeline.Caller(operation.identity, {}, "a connection")
        try:
            await pipeline.subscribe(self._stage.live, operation.channel, caller)
        except Refusal as refusal:
            self._take(self._connection.subscribe_failed(operation, refusal))
        else:
            self._take(self._connection.subscribed(operation))

    async def _publish(self, operation: Operation) -> None:
        caller = pipeline.Caller(operation.identity, {}, "a connection")
        try:
            result = await pipeline.publish(self._stage.live, operation.channel, operation.events, caller)
        except Refusal as refusal:
            self._take(self._connection.refused(operation, refusal))
        else:
            self._take(self._connection.published(operation, result))


class CoreStage:
    """The core's place.

    Args:
        service: with the API of `api.template`.
        live: that API.
        signers: who may sign and which key is good.
    """

    def __init__(self, service: Service, live: ServedApi, signers: Signers) -> None:
        self.service = service
        self.live = live
        self.now = 0.0
        self._signers = signers
        self._peers: list[CorePeer] = []

    def credentials(self, by: As, signed: str) -> dict[str, str]:
        return credentials(self._signers, by, signed)

    async def authorize(
        self,
        headers: Mapping[str, Any],
        signed: Mapping[str, Any],
        modes: frozenset[AuthMode],
        call: RequestedOperation,
    ) -> Mapping[str, Any] | None:
        """Authorise a call as the service does; who connects must name the host."""
        hosts = frozenset({self._signers.host})
        connecting = call.operation is EventOperation.CONNECT
        presented = Credentials(lower_names(headers), SOURCE, PATHS, signed, hosts=hosts, host_required=connecting)
        return await self.service.authorize(self.live, modes, presented, call)

    async def open(self, connect: dict[str, str]) -> CorePeer:
        peer = CorePeer(self, lower_names(connect))
        self._peers.append(peer)
        return peer

    def close(self) -> None:
        """End every connection that a row left open."""
        for peer in self._peers:
            peer.end()

    async def decide(self) -> None:
        for peer in self._peers:
            await peer.decide()

    async def wait(self, seconds: float) -> None:
        await self.decide()
        self.now += seconds
        for peer in self._peers:
            peer.tick()

    async def quiet(self) -> None:
        """Nothing is under way that is not decided when it is read."""

    async def upgrade(self, offers: list[str], headers: Mapping[str, str]) -> CorePeer:
        raise NotImplementedError("rows with an upgrade do not run on the core")

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        raise NotImplementedError("rows with HTTP do not run on the core")

    async def ask(self, method: str, path: str, headers: Mapping[str, str]) -> Answer:
        raise NotImplementedError("rows with HTTP do not run on the core")
