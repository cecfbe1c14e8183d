"""Credentials, a recorder of callbacks and refusal frames, for the tests of connections."""

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
    """Return tokens `t0`, `t1`, …: each rejection yields the next one."""
    number = 0

    async def token(refused: str | None) -> str:
        nonlocal number
        number += refused == f"t{number}"
        return f"t{number}"

    return UserPoolToken(token)


class Listener:
    """Records all callbacks of a client, in order."""

    def __init__(self) -> None:
        self.recorded: list[Any] = []
        self._changed = asyncio.Event()

    def record(self, what: Any) -> None:
        self.recorded.append(what)
        self._changed.set()

    def on_state(self, state: ConnectionState, cause: EventsError | None) -> None:
        self.record(state)

    def on_live(self) -> None:
        self.record("live")

    async def until(self, *expected: Any) -> None:
        """Wait until the last records, without states, are these."""
        async with asyncio.timeout(20):
            while self.events()[-len(expected) :] != list(expected):
                self._changed.clear()
                await self._changed.wait()

    def events(self) -> list[Any]:
        return [what for what in self.recorded if not isinstance(what, ConnectionState)]


def refusal(kind: str, id: str | None, type: str, code: int | None = None) -> Frame:
    """Return an error frame of a type."""
    error: Frame = {"errorType": type, "message": "m"} | ({"errorCode": code} if code else {})
    return {"type": kind, "errors": [error]} | ({"id": id} if id else {})


async def listen(client: EventsClient, listener: Listener, channel: str = "/a/b") -> Any:
    return await client.subscribe(channel, listener.record, on_live=listener.on_live)
