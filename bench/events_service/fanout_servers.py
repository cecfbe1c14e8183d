"""The two servers of the fan-out benchmark, and the protocol that a client uses with each."""

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

from bench.events_service.process import KEY, service
from bench.harness import ROOT

STOP_SECONDS: Final = 10.0


class Dialect(Protocol):
    """The messages of a client to a server, and how it recognises the answers; all are WebSocket messages.

    Attributes:
        name: name of the server in the results.
        port: port of the server on loopback.
        pid: process id of the server.
    """

    name: str
    port: int
    pid: int

    def request(self) -> bytes:
        """Return the upgrade request."""

    def opening(self) -> tuple[tuple[bytes, bytes], ...]:
        """Return the messages of the handshake, each with a part of its answer; `b""` sends nothing."""

    def subscribing(self) -> tuple[bytes, bytes]:
        """Return the message that subscribes, and a part of its answer."""

    def publishing(self, event: bytes) -> bytes:
        """Return the message that publishes one event, a JSON text."""

    def event(self, message: bytes) -> bytes:
        """Return the event of a delivered message, a JSON text."""


@dataclass
class EventsDialect:
    """The Events service; `namespace` selects whether handlers run, `segment` is the rest of the channel."""

    name: str
    port: int
    pid: int
    namespace: str
    segment: str = "chat"

    def request(self) -> bytes:
        host = f"127.0.0.1:{self.port}"
        header = base64.urlsafe_b64encode(json.dumps({"host": host, "x-api-key": KEY}).encode()).decode().rstrip("=")
        return _upgrade("/event/realtime", host, f"Sec-WebSocket-Protocol: aws-appsync-event-ws, header-{header}\r\n")

    def opening(self) -> tuple[tuple[bytes, bytes], ...]:
        return ((b'{"type":"connection_init"}', b"connection_ack"),)

    def subscribing(self) -> tuple[bytes, bytes]:
        frame = {"type": "subscribe", "id": "s1", "channel": f"/{self.namespace}/{self.segment}", **self._authorization}
        return json.dumps(frame).encode(), b"subscribe_success"

    def publishing(self, event: bytes) -> bytes:
        frame = {"type": "publish", "id": "p1", "channel": f"/{self.namespace}/{self.segment}", **self._authorization}
        return json.dumps({**frame, "events": [event.decode()]}).encode()

    def event(self, message: bytes) -> bytes:
        text: str = json.loads(message)["event"]
        return text.encode()

    @property
    def _authorization(self) -> dict[str, dict[str, str]]:
        return {"authorization": {"host": f"127.0.0.1:{self.port}", "x-api-key": KEY}}


@dataclass
class SocketIoDialect:
    """Socket.IO: engine.io packets, protocol 4, WebSocket only; every message requests an acknowledgement."""

    name: str
    port: int
    pid: int

    def request(self) -> bytes:
        return _upgrade("/socket.io/?EIO=4&transport=websocket", f"127.0.0.1:{self.port}", "")

    def opening(self) -> tuple[tuple[bytes, bytes], ...]:
        return ((b"", b'0{"sid"'), (b"40", b'40{"sid"'))

    def subscribing(self) -> tuple[bytes, bytes]:
        return b'421["subscribe","chat"]', b"431[]"

    def publishing(self, event: bytes) -> bytes:
        return b'422["publish","chat",' + event + b"]"

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
    """Run the Socket.IO server, which `make setup` installs from npm."""
    command = ["node", str(Path(__file__).with_name("socketio_server.mjs"))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert process.stdout is not None
    try:
        announced = process.stdout.readline().split()
        if len(announced) != 2:
            raise RuntimeError("the Socket.IO server does not start; `make setup` installs it")
        yield SocketIoDialect(
            "Socket.IO", *map(int, announced)
        )  # the server's own process id, not that of the launcher
    finally:
        process.communicate(timeout=STOP_SECONDS)


@contextlib.contextmanager
def events_service() -> Iterator[tuple[EventsDialect, EventsDialect]]:
    """Run the Events service; gives it without handlers, and with handlers that copy every event."""
    with service() as running:
        yield (
            EventsDialect("Events service", running.port, running.pid, "plain"),
            EventsDialect("Events service, handlers on", running.port, running.pid, "handled"),
        )
