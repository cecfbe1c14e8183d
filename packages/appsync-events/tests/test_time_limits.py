"""A time limit holds whatever the server does: nothing inside it waits without a limit."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from appsync_events import Auth, ConnectionLostError, EventsClient, Timeout, UnreachableError, UserPoolToken
from events_harness.listener import QUICK, tokens
from events_harness.server import EventServer, Frame

LIMIT_SECONDS = 0.6
MARGIN_SECONDS = 0.3


def client_of(events: EventServer, auth: Auth | None = None, **limits: float) -> EventsClient:
    timeout = Timeout(publish=LIMIT_SECONDS, **limits)
    return EventsClient(events.endpoint, auth or tokens(), backoff=QUICK, timeout=timeout)


async def seconds_until_failure(work: Any, *expected: type[Exception]) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(expected):
        await work
    return loop.time() - began


@contextlib.asynccontextmanager
async def keep_alives(events: EventServer) -> AsyncIterator[None]:
    """Send a keep-alive every 20 ms on every connection, whether or not the client closes it."""

    async def send() -> None:
        while True:
            await asyncio.sleep(0.02)
            for connection in events.connections:
                with contextlib.suppress(ConnectionError, RuntimeError):
                    await connection.send({"type": "ka"})

    sending = asyncio.create_task(send())
    try:
        yield
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


def error_without_id(frame: Frame) -> Frame:
    return {"type": "error", "errors": [{"errorType": "UnsupportedOperation", "message": "no id"}]}


async def test_publish_ends_in_time_at_a_server_that_sends_on_without_an_answer(events: EventServer) -> None:
    events.on_publish = error_without_id
    events.ignores_close = True
    async with keep_alives(events), client_of(events, close=5) as client:
        await client.connected()
        assert await seconds_until_failure(client.publish("/a/b", [1]), ConnectionLostError) < (
            LIMIT_SECONDS + MARGIN_SECONDS
        )


async def test_wait_for_a_connection_and_for_the_answer_have_one_limit(events: EventServer) -> None:
    events.on_publish = lambda frame: None

    def acknowledge_late(authorization: dict[str, str]) -> None:
        asyncio.get_running_loop().call_later(LIMIT_SECONDS * 0.9, lambda: acknowledging.append(send()))

    def send() -> asyncio.Task[None]:
        return asyncio.create_task(events.connections[-1].send(events.acknowledgement()))

    acknowledging: list[asyncio.Task[None]] = []
    events.on_connect = acknowledge_late
    async with client_of(events) as client:
        seconds = await seconds_until_failure(client.publish("/a/b", [1]), ConnectionLostError, UnreachableError)
        assert seconds < LIMIT_SECONDS + MARGIN_SECONDS


async def test_slow_credentials_count_as_part_of_the_publish(events: EventServer) -> None:
    async def never(refused: str | None) -> str:
        await asyncio.Event().wait()
        return ""

    async with client_of(events) as client:
        await client.connected()
        work = client.publish("/a/b", [1], auth=UserPoolToken(never))
        assert await seconds_until_failure(work, UnreachableError) < LIMIT_SECONDS + MARGIN_SECONDS
    assert not [frame for one in events.connections for frame in one.frames if frame["type"] == "publish"]


async def test_renewed_credentials_count_as_part_of_the_publish(events: EventServer) -> None:
    events.on_publish = lambda frame: {
        "type": "publish_error",
        "id": frame["id"],
        "errors": [{"errorType": "UnauthorizedException", "message": "expired"}],
    }

    async def hang_at_renewal(refused: str | None) -> str:
        if refused is not None:
            await asyncio.Event().wait()
        return "token"

    async with client_of(events) as client:
        await client.connected()
        work = client.publish("/a/b", [1], auth=UserPoolToken(hang_at_renewal))
        assert await seconds_until_failure(work, UnreachableError) < LIMIT_SECONDS + MARGIN_SECONDS
