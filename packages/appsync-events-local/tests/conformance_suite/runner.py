"""Runs one row against a target and reports the first difference."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from conformance_suite import table
from conformance_suite.frames import KEEP_ALIVE, unsubscribe

HOST_FIELD = "host"


@dataclass(frozen=True)
class Response:
    """An HTTP response; `body` is the parsed JSON, or `None` if the body is not JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any


class ClientConnection(Protocol):
    """One WebSocket connection, seen from the client."""

    @property
    def selected(self) -> str | None:
        """The subprotocol that the upgrade selected."""

    async def send(self, data: str | bytes) -> None: ...

    async def receive(self) -> dict[str, Any]:
        """The next frame; on a closed connection always `{"type": "closed", "code": ...}`."""


class Driver(Protocol):
    """Access to a target that serves the API of `api.template`."""

    def credentials(self, by: table.Credentials, signed: str) -> dict[str, str]:
        """Credentials as headers of a frame or request; `signed` is the JSON text that a signature covers."""

    async def open(self, connect: dict[str, str]) -> ClientConnection: ...

    async def upgrade(self, offers: list[str], headers: Mapping[str, str]) -> ClientConnection | int:
        """Request a WebSocket; returns the HTTP status if it is refused."""

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Response: ...

    async def ask(self, method: str, path: str, headers: Mapping[str, str]) -> Response: ...

    async def wait(self, seconds: float) -> None: ...

    async def await_deliveries(self) -> None:
        """Wait as long as a delivery may take to arrive."""


class RowFailed(AssertionError):  # noqa: N818 - a finding of the suite, not an error of it
    """A frame or response differs from the row; the message has the last steps before it."""


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def header_subprotocol(credentials: Mapping[str, str]) -> str:
    """The subprotocol that carries connect credentials: base64url without padding."""
    return "header-" + base64.urlsafe_b64encode(compact(credentials).encode()).decode().rstrip("=")


class RowRunner:
    """Runs one row.

    Args:
        driver: access to the target.
        ignore_keep_alive: whether a `ka` frame that no step expects is skipped; over a slow network a row may take
            longer than the keep-alive interval of 60 seconds.
    """

    def __init__(self, driver: Driver, *, ignore_keep_alive: bool = False) -> None:
        self._driver = driver
        self._overlook_keep_alive = ignore_keep_alive
        self._connections: dict[str, ClientConnection] = {}
        self._log: list[str] = []
        self._markers = 0

    async def run(self, row: table.Row) -> None:
        """Take every step of the row.

        Raises:
            RowFailed: a frame or response differs from what the row expects.
        """
        for step in row.steps:
            await self._execute(step)

    async def _execute(self, step: table.Step) -> None:
        match step:
            case table.Open():
                self._connections[step.on] = await self._driver.open(self._driver.credentials(step.by, "{}"))
            case table.Upgrade():
                await self._upgrade(step)
            case table.Send():
                await self._send(step)
            case table.Expect():
                await self._expect(step)
            case table.Silence():
                await self._silence(step.on)
            case table.Closed():
                frame = await self._receive(step.on)
                self._check("the close of the connection", {"type": "closed", "code": step.code}, frame)
            case table.Wait():
                await self._driver.wait(step.seconds)
            case table.Post():
                await self._post(step)
            case table.Request():
                answer = await self._driver.ask(step.method, step.path, step.send)
                self._check_response(f"{step.method} {step.path}", step.status, table.ANYTHING, step.headers, answer)

    async def _upgrade(self, step: table.Upgrade) -> None:
        connect = self._driver.credentials(step.by, "{}")
        offers = [header_subprotocol(connect) if offer == "{header}" else offer for offer in step.offers]
        headers = {name: connect["x-api-key"] if value == "{key}" else value for name, value in step.headers.items()}
        made = await self._driver.upgrade(offers, headers)
        if isinstance(made, int):
            self._check(f"upgrade with {step.offers}", step.status, made)
            return
        self._check(f"upgrade with {step.offers}", step.status, 101)
        self._check("the selected subprotocol", step.selected, made.selected)
        self._connections[step.on] = made

    async def _send(self, step: table.Send) -> None:
        if isinstance(step.frame, str | bytes):
            sent: str | bytes = step.frame
        else:
            frame = dict(step.frame)
            if step.by is not None:
                covered = {name: frame[name] for name in ("channel", "events") if name in frame}
                frame["authorization"] = self._driver.credentials(step.by, compact(covered))
            sent = compact(frame)
        self._log.append(f"{step.on} -> {shortened(step.frame)}")
        await self._connections[step.on].send(sent)

    async def _receive(self, on: str) -> dict[str, Any]:
        frame = await self._connections[on].receive()
        self._log.append(f"{on} <- {shortened(frame)}")
        return frame

    async def _expect(self, step: table.Expect) -> None:
        missing = list(step.frames)
        while missing:
            frame = await self._receive(step.on)
            match = next((expected for expected in missing if table.matches(expected, frame)), None)
            if match is None and self._overlook_keep_alive and frame == KEEP_ALIVE:
                continue
            if match is None:
                raise self._failure("a frame", missing if len(missing) > 1 else missing[0], frame)
            missing.remove(match)

    async def _silence(self, on: str) -> None:
        await self._driver.await_deliveries()
        self._markers += 1
        marker = f"marker-{self._markers}"
        await self._connections[on].send(compact(unsubscribe(marker).frame))
        frame = await self._receive(on)
        while self._overlook_keep_alive and frame == KEEP_ALIVE:
            frame = await self._receive(on)
        if (frame["type"], frame.get("id")) != ("unsubscribe_error", marker):
            raise self._failure("silence", "no frame", frame)

    async def _post(self, step: table.Post) -> None:
        body = step.body
        if body is None:
            body = compact({"channel": step.channel, "events": list(step.events)})
        text = body if isinstance(body, str) else ""
        headers = {"content-type": "application/json", **self._driver.credentials(step.by, text)}
        sent = body.encode() if isinstance(body, str) else body
        self._log.append(f"POST {shortened(text)}")
        answer = await self._driver.post(sent, headers)
        self._check_response("POST", step.status, step.answer, step.headers, answer)

    def _check_response(self, what: str, status: Any, body: Any, headers: Mapping[str, Any], answer: Response) -> None:
        self._log.append(f"{answer.status} {shortened(answer.body)}")
        self._check(f"status of {what}", status, answer.status)
        self._check(f"answer to {what}", body, answer.body)
        seen = {name.lower(): value for name, value in answer.headers.items()}
        for name, value in headers.items():
            self._check(f"header {name} of {what}", value, seen.get(name.lower()))

    def _check(self, what: str, expected: Any, seen: Any) -> None:
        if not table.matches(expected, seen):
            raise self._failure(what, expected, seen)

    def _failure(self, what: str, expected: Any, seen: Any) -> RowFailed:
        log = "\n  ".join(self._log[-8:])
        return RowFailed(f"{what}: expected {shortened(expected)}, seen {shortened(seen)}; before that:\n  {log}")


def shortened(value: Any) -> str:
    """The value as text for a report, long texts shortened."""
    text = str(value)
    return text if len(text) < 400 else f"{text[:300]}... ({len(text)} characters)"
