"""An Event API on loopback that a test scripts: WebSocket and HTTP."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from appsync_events import Endpoint, _protocol

Frame = dict[str, Any]


@dataclass(eq=False)
class Connection:
    """The server's side of one connection."""

    socket: web.WebSocketResponse
    authorization: dict[str, str]
    frames: list[Frame] = field(default_factory=list)
    subscriptions: dict[str, str] = field(default_factory=dict)

    async def send(self, frame: Frame) -> None:
        await self.socket.send_str(_protocol.compact(frame))


@dataclass
class HttpRequest:
    """One HTTP publish as the server received it."""

    headers: dict[str, str]
    body: bytes


@dataclass
class HttpReply:
    """One scripted answer to an HTTP publish; `cut` closes the connection instead."""

    status: int = 200
    body: Any = None
    cut: bool = False


class EventServer:
    """An Event API on a free loopback port.

    Attributes:
        connections: all connections so far.
        on_connect, on_subscribe, on_publish: return the frame to answer with, or None for no answer.
        ignores_close: the server does not answer the closing handshake, and keeps the connection.
        http_requests: all HTTP publishes so far.
        http_script: the answers to HTTP publishes, in order; the last one is repeated.
    """

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self.silence_ms = 300_000
        self.ignores_close = False
        self.on_connect: Callable[[dict[str, str]], Frame | None] = lambda authorization: self.acknowledgement()
        self.on_subscribe: Callable[[Frame], Frame | None] = self.accept
        self.on_publish: Callable[[Frame], Frame | None] = lambda frame: {
            "type": "publish_success",
            "id": frame["id"],
            "successful": [{"identifier": "x", "index": n} for n, _ in enumerate(frame["events"])],
            "failed": [],
        }
        self.http_requests: list[HttpRequest] = []
        self.http_script: list[HttpReply] = []
        self._changed = asyncio.Event()
        self._stopped = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.port = 0

    def acknowledgement(self) -> Frame:
        return {"type": "connection_ack", "connectionTimeoutMs": self.silence_ms}

    def accept(self, frame: Frame) -> Frame:
        return {"type": "subscribe_success", "id": frame["id"]}

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint.parse(f"http://{self.host}")

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/event/realtime", self._serve)
        app.router.add_post("/event", self._publish)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        self._stopped.set()
        await self.cut()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def cut(self) -> None:
        """Close every connection."""
        for connection in self.connections:
            await connection.socket.close(code=1001)

    async def push(self, channel: str, *events: Any) -> None:
        """Send events to every open subscription of a channel."""
        for connection in self.connections:
            for id, subscribed in connection.subscriptions.items():
                if subscribed == channel and not connection.socket.closed:
                    for event in events:
                        await connection.send({"type": "data", "id": id, "event": _protocol.compact(event)})

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until a condition on what has arrived holds."""
        async with asyncio.timeout(20):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=[_protocol.SUBPROTOCOL], autoclose=not self.ignores_close)
        await socket.prepare(request)
        offered = request.headers["sec-websocket-protocol"].split(",")
        encoded = next(name.strip()[7:] for name in offered if name.strip().startswith("header-"))
        authorization = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
        connection = Connection(socket, authorization)
        self.connections.append(connection)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._answer(connection, json.loads(message.data))
        self._changed.set()
        if self.ignores_close:
            await self._stopped.wait()
        return socket

    async def _publish(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.http_requests.append(HttpRequest(headers, await request.read()))
        reply = self.http_script.pop(0) if len(self.http_script) > 1 else self.http_script[0]
        if reply.cut:
            assert request.transport is not None
            request.transport.close()
        text = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        return web.Response(status=reply.status, text=text)

    async def _answer(self, connection: Connection, frame: Frame) -> None:
        connection.frames.append(frame)
        answers: dict[str, Callable[[], Frame | None]] = {
            "connection_init": lambda: self.on_connect(connection.authorization),
            "subscribe": lambda: self.on_subscribe(frame),
            "publish": lambda: self.on_publish(frame),
            "unsubscribe": lambda: {"type": "unsubscribe_success", "id": frame["id"]},
        }
        answer = answers[frame["type"]]()
        if answer is not None:
            if answer["type"] == "subscribe_success":
                connection.subscriptions[frame["id"]] = frame["channel"]
            if answer["type"] == "unsubscribe_success":
                connection.subscriptions.pop(frame["id"], None)
            await connection.send(answer)
        self._changed.set()
