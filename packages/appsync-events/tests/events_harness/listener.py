"""What the tests of connections listen and connect with."""

from __future__ import annotations

import asyncio
from typing import Any

from appsync_events import (
    Backoff,
    ConnectionState,
    EventsClient,
    EventsError,
    UserPoolToken,
)
from events_harness.server import Frame

QUICK = Backoff(base=0.01, cap=0.02)


def tokens() -> UserPoolToken:
    """Tokens `t0`, `t1`, …: each refusal brings the next."""
    number = 0

    async def token(refused: str | None) -> str:
        nonlocal number
        number += refused == f"t{number}"
        return f"t{number}"

    return UserPoolToken(token)


class Listener:
    """Everything that a socket tells, in order."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self._changed = asyncio.Event()

    def tell(self, what: Any) -> None:
        self.told.append(what)
        self._changed.set()

    def on_state(self, state: ConnectionState, cause: EventsError | None) -> None:
        self.tell(state)

    def on_live(self) -> None:
        self.tell("live")

    async def until(self, *expected: Any) -> None:
        """Wait until the last things told, states aside, are these."""
        async with asyncio.timeout(20):
            while self.said()[-len(expected) :] != list(expected):
                self._changed.clear()
                await self._changed.wait()

    def said(self) -> list[Any]:
        return [what for what in self.told if not isinstance(what, ConnectionState)]


def refusal(kind: str, id: str | None, type: str, code: int | None = None) -> Frame:
    """A frame that refuses something."""
    error: Frame = {"errorType": type, "message": "m"} | ({"errorCode": code} if code else {})
    return {"type": kind, "errors": [error]} | ({"id": id} if id else {})


async def listen(socket: EventsClient, listener: Listener, channel: str = "/a/b") -> Any:
    return await socket.subscribe(channel, listener.tell, on_live=listener.on_live)
