"""Runs a row where it is told to, and tells what happened."""

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
class Answer:
    """What came back over HTTP; `body` is parsed JSON, or `None` if there is none."""

    status: int
    headers: Mapping[str, str]
    body: Any


class Peer(Protocol):
    """The client's end of one connection."""

    @property
    def selected(self) -> str | None:
        """The subprotocol that the upgrade selected."""

    async def send(self, data: str | bytes) -> None: ...

    async def receive(self) -> dict[str, Any]:
        """The next frame; a closed connection gives `{"type": "closed", "code": ...}` for ever."""


class Stage(Protocol):
    """A place with the API of `api.template`."""

    def credentials(self, by: table.As, signed: str) -> dict[str, str]:
        """Credentials as a frame carries them; `signed` is the JSON text that a signature covers."""

    async def open(self, connect: dict[str, str]) -> Peer: ...

    async def upgrade(self, offers: list[str], headers: Mapping[str, str]) -> Peer | int:
        """Ask for a socket; the HTTP status where it is refused."""

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Answer: ...

    async def ask(self, method: str, path: str, headers: Mapping[str, str]) -> Answer: ...

    async def wait(self, seconds: float) -> None: ...

    async def quiet(self) -> None:
        """Give what is under way the time that it needs to arrive."""


class Differs(AssertionError):  # noqa: N818 - what a row found, not a fault
    """Something else came than the row expects; the message tells everything that happened."""


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def encoded(credentials: Mapping[str, str]) -> str:
    """The subprotocol that carries connect credentials: base64url without padding."""
    return "header-" + base64.urlsafe_b64encode(compact(credentials).encode()).decode().rstrip("=")


class Run:
    """One run of one row.

    Args:
        stage: where.
        overlook_keep_alive: whether a `ka` that no step expects is nothing; far away a row may take a minute.
    """

    def __init__(self, stage: Stage, *, overlook_keep_alive: bool = False) -> None:
        self._stage = stage
        self._overlook_keep_alive = overlook_keep_alive
        self._peers: dict[str, Peer] = {}
        self._story: list[str] = []
        self._markers = 0

    async def all(self, row: table.Row) -> None:
        """Take every step.

        Raises:
            Differs: at the first that comes out differently.
        """
        for step in row.steps:
            await self._take(step)

    async def _take(self, step: table.Step) -> None:
        match step:
            case table.Open():
                self._peers[step.on] = await self._stage.open(self._stage.credentials(step.by, "{}"))
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
                self._same("the connection closes", {"type": "closed", "code": step.code}, frame)
            case table.Wait():
                await self._stage.wait(step.seconds)
            case table.Post():
                await self._post(step)
            case table.Ask():
                answer = await self._stage.ask(step.method, step.path, step.send)
                self._answered(f"{step.method} {step.path}", step.status, table.WHATEVER, step.headers, answer)

    async def _upgrade(self, step: table.Upgrade) -> None:
        connect = self._stage.credentials(step.by, "{}")
        offers = [encoded(connect) if offer == "{header}" else offer for offer in step.offers]
        headers = {name: connect["x-api-key"] if value == "{key}" else value for name, value in step.headers.items()}
        made = await self._stage.upgrade(offers, headers)
        if isinstance(made, int):
            self._same(f"upgrade with {step.offers}", step.status, made)
            return
        self._same(f"upgrade with {step.offers}", step.status, 101)
        self._same("the selected subprotocol", step.selected, made.selected)
        self._peers[step.on] = made

    async def _send(self, step: table.Send) -> None:
        if isinstance(step.frame, str | bytes):
            sent: str | bytes = step.frame
        else:
            frame = dict(step.frame)
            if step.by is not None:
                covered = {name: frame[name] for name in ("channel", "events") if name in frame}
                frame["authorization"] = self._stage.credentials(step.by, compact(covered))
            sent = compact(frame)
        self._story.append(f"{step.on} -> {shortened(step.frame)}")
        await self._peers[step.on].send(sent)

    async def _receive(self, on: str) -> dict[str, Any]:
        frame = await self._peers[on].receive()
        self._story.append(f"{on} <- {shortened(frame)}")
        return frame

    async def _expect(self, step: table.Expect) -> None:
        missing = list(step.frames)
        while missing:
            frame = await self._receive(step.on)
            fitting = next((expected for expected in missing if table.matches(expected, frame)), None)
            if fitting is None and self._overlook_keep_alive and frame == KEEP_ALIVE:
                continue
            if fitting is None:
                raise self._differs("a frame", missing if len(missing) > 1 else missing[0], frame)
            missing.remove(fitting)

    async def _silence(self, on: str) -> None:
        await self._stage.quiet()
        self._markers += 1
        marker = f"marker-{self._markers}"
        await self._peers[on].send(compact(unsubscribe(marker).frame))
        frame = await self._receive(on)
        while self._overlook_keep_alive and frame == KEEP_ALIVE:
            frame = await self._receive(on)
        if (frame["type"], frame.get("id")) != ("unsubscribe_error", marker):
            raise self._differs("nothing", "no frame", frame)

    async def _post(self, step: table.Post) -> None:
        body = step.body
        if body is None:
            body = compact({"channel": step.channel, "events": list(step.events)})
        text = body if isinstance(body, str) else ""
        headers = {"content-type": "application/json", **self._stage.credentials(step.by, text)}
        sent = body.encode() if isinstance(body, str) else body
        self._story.append(f"POST {shortened(text)}")
        answer = await self._stage.post(sent, headers)
        self._answered("POST", step.status, step.answer, step.headers, answer)

    def _answered(self, what: str, status: Any, body: Any, headers: Mapping[str, Any], answer: Answer) -> None:
        self._story.append(f"{answer.status} {shortened(answer.body)}")
        self._same(f"status of {what}", status, answer.status)
        self._same(f"answer to {what}", body, answer.body)
        seen = {name.lower(): value for name, value in answer.headers.items()}
        for name, value in headers.items():
            self._same(f"header {name} of {what}", value, seen.get(name.lower()))

    def _same(self, what: str, expected: Any, seen: Any) -> None:
        if not table.matches(expected, seen):
            raise self._differs(what, expected, seen)

    def _differs(self, what: str, expected: Any, seen: Any) -> Differs:
        story = "\n  ".join(self._story[-8:])
        return Differs(f"{what}: expected {shortened(expected)}, seen {shortened(seen)}; before that:\n  {story}")


def shortened(value: Any) -> str:
    """For people: long texts cut."""
    text = str(value)
    return text if len(text) < 400 else f"{text[:300]}... ({len(text)} characters)"
