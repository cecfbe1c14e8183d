"""The two servers of the fan-out benchmark, as their clients speak to them."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from bench.events_service import KEY, service

ROOT: Final = Path(__file__).resolve().parents[1]
STOP_SECONDS: Final = 10.0


class Dialect(Protocol):
    """What a client says to a server, and how it knows the answers; all texts are WebSocket messages.

    Attributes:
        name: of the server.
        port: on loopback.
        pid: of the server's process.
    """

    name: str
    port: int
    pid: int

    def request(self) -> bytes:
        """The upgrade."""

    def opening(self) -> tuple[tuple[bytes, bytes], ...]:
        """What to send after the upgrade, and what the answer to each holds; `b""` sends nothing."""

    def subscribing(self) -> tuple[bytes, bytes]:
        """What to send to subscribe, and what the answer holds."""

    def publishing(self, event: bytes) -> bytes:
        """What to send to publish one event, a JSON text."""

    def event(self, message: bytes) -> bytes:
        """The JSON text that a delivered message holds."""


@dataclass
class EventsDialect:
    """The Events service; `namespace` says whether its handlers run, `room` is the rest of the channel."""

    name: str
    port: int
    pid: int
    namespace: str
    room: str = "room"

    def request(self) -> bytes:
        host = f"127.0.0.1:{self.port}"
        header = base64.urlsafe_b64encode(json.dumps({"host": host, "x-api-key": KEY}).encode()).decode().rstrip("=")
        return _upgrade("/event/realtime", host, f"Sec-WebSocket-Protocol: aws-appsync-event-ws, header-{header}\r\n")

    def opening(self) -> tuple[tuple[bytes, bytes], ...]:
        return ((b'{"type":"connection_init"}', b"connection_ack"),)

    def subscribing(self) -> tuple[bytes, bytes]:
        frame = {"type": "subscribe", "id": "s1", "channel": f"/{self.namespace}/{self.room}", **self._authorization}
        return json.dumps(frame).encode(), b"subscribe_success"

    def publishing(self, event: bytes) -> bytes:
        frame = {"type": "publish", "id": "p1", "channel": f"/{self.namespace}/{self.room}", **self._authorization}
        return json.dumps({**frame, "events": [event.decode()]}).encode()

    def event(self, message: bytes) -> bytes:
        text: str = json.loads(message)["event"]
        return text.encode()

    @property
    def _authorization(self) -> dict[str, dict[str, str]]:
        return {"authorization": {"host": f"127.0.0.1:{self.port}", "x-api-key": KEY}}


@dataclass
class SocketIoDialect:
    """Socket.IO: engine.io packets, protocol 4, WebSocket only; every call asks for an acknowledgement."""

    name: str
    port: int
    pid: int

    def request(self) -> bytes:
        return _upgrade("/socket.io/?EIO=4&transport=websocket", f"127.0.0.1:{self.port}", "")

    def opening(self) -> tuple[tuple[bytes, bytes], ...]:
        return ((b"", b'0{"sid"'), (b"40", b'40{"sid"'))

    def subscribing(self) -> tuple[bytes, bytes]:
        return b'421["subscribe","room"]', b"431[]"

    def publishing(self, event: bytes) -> bytes:
        return b'422["publish","room",' + event + b"]"

    def event(self, message: bytes) -> bytes:
        return json.dumps(json.loads(message[2:])[1], separators=(",", ":")).encode()


def _upgrade(path: str, host: str, more: str) -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{more}\r\n"
    ).encode()


@contextlib.contextmanager
def socket_io() -> Iterator[SocketIoDialect]:
    """Run the Socket.IO server; `make setup` brings it, as everything from npm."""
    command = ["node", str(Path(__file__).with_name("socketio_server.mjs"))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert process.stdout is not None
    try:
        announced = process.stdout.readline().split()
        if len(announced) != 2:
            raise RuntimeError("the Socket.IO server does not start; is it installed? make setup")
        yield SocketIoDialect("Socket.IO", *map(int, announced))  # its own id, not that of the program that starts it
    finally:
        process.communicate(timeout=STOP_SECONDS)


@contextlib.contextmanager
def events_service() -> Iterator[tuple[EventsDialect, EventsDialect]]:
    """Run the Events service: without handlers, and with handlers that copy every event."""
    with service() as running:
        yield (
            EventsDialect("Events service", running.port, running.pid, "plain"),
            EventsDialect("Events service, handlers on", running.port, running.pid, "handled"),
        )
