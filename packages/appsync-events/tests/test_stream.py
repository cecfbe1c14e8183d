"""A stream yields events in order, has a bounded buffer, and reports gaps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from appsync_events import (
    ApiKey,
    Backoff,
    ConnectionLostError,
    EventsClient,
    EventStream,
    Gap,
    GapReason,
    SubscriptionRefusedError,
    Timeout,
)
from events_harness.server import EventServer

QUICK = Backoff(base=0.01, cap=0.02)
TIMEOUT = Timeout(connect=2, acknowledge=2, publish=2)


@pytest.fixture
async def client(events: EventServer, http: aiohttp.ClientSession) -> AsyncIterator[EventsClient]:
    async with EventsClient(events.endpoint, ApiKey("k"), http=http, backoff=QUICK, timeout=TIMEOUT) as client:
        yield client


async def take(stream: EventStream, count: int) -> list[Any]:
    async with asyncio.timeout(20):
        return [await anext(stream) for _ in range(count)]


async def delivered(client: EventsClient, events: EventServer) -> None:
    """Wait until the client has read everything pushed before: the answer to a publish comes after it."""
    await client.publish("/other", [0])


async def test_events_are_yielded_in_order(events: EventServer, client: EventsClient) -> None:
    async with client.stream("/a/b") as stream:
        await events.push("/a/b", 1, {"n": 2}, None)
        assert await take(stream, 3) == [1, {"n": 2}, None]


async def test_full_buffer_discards_the_oldest_events_and_reports_how_many(
    events: EventServer, client: EventsClient
) -> None:
    gaps: list[Gap] = []
    async with client.stream("/a/b", size=3, on_gap=gaps.append) as stream:
        await events.push("/a/b", *range(10))
        await delivered(client, events)
        assert gaps == []
        assert await take(stream, 3) == [7, 8, 9]
        assert gaps == [Gap(GapReason.SLOW_CONSUMER, 7)]
        await events.push("/a/b", 10)
        assert await take(stream, 1) == [10]
        assert len(gaps) == 1


async def test_gap_is_reported_between_the_events_around_it(events: EventServer, client: EventsClient) -> None:
    seen: list[Any] = []
    async with client.stream("/a/b", on_gap=seen.append) as stream:
        await events.push("/a/b", 1)
        await delivered(client, events)
        await events.cut()
        await events.until(lambda: len(events.connections) == 2 and events.connections[1].subscriptions)
        await client.connected()
        await events.push("/a/b", 2)
        for _ in range(2):
            seen += await take(stream, 1)
    assert seen == [1, Gap(GapReason.RECONNECTED), 2]


async def test_number_of_lost_events_is_unknown_if_a_gap_was_discarded(
    events: EventServer, client: EventsClient
) -> None:
    gaps: list[Gap] = []
    async with client.stream("/a/b", size=1, on_gap=gaps.append) as stream:
        [connection] = events.connections
        await connection.send({"type": "broadcast_error", "id": next(iter(connection.subscriptions)), "errors": []})
        await events.push("/a/b", 1, 2)
        await delivered(client, events)
        assert await take(stream, 1) == [2]
    assert gaps == [Gap(GapReason.SLOW_CONSUMER, None)]


async def test_stream_raises_when_the_channel_is_no_longer_allowed(events: EventServer, client: EventsClient) -> None:
    async with client.stream("/a/b") as stream:
        await events.push("/a/b", 1)
        await delivered(client, events)
        errors = [{"errorType": "Unauthorized", "message": "m"}]
        events.on_subscribe = lambda frame: {"type": "subscribe_error", "id": frame["id"], "errors": errors}
        await events.cut()
        assert await take(stream, 1) == [1]
        with pytest.raises(SubscriptionRefusedError, match="Unauthorized"):
            await take(stream, 1)


async def test_closed_client_ends_its_streams_and_refuses_operations(events: EventServer, client: EventsClient) -> None:
    async with client.stream("/a/b") as stream:
        waiting = asyncio.ensure_future(anext(stream, "ended"))
        await asyncio.sleep(0)
        await client.close()
        assert await asyncio.wait_for(waiting, 20) == "ended"
    with pytest.raises(ConnectionLostError, match="closed"):
        await client.subscribe("/a/b", print)
    with pytest.raises(ConnectionLostError, match="closed"):
        await client.publish("/a/b", [1])


async def test_leaving_a_stream_unsubscribes(events: EventServer, client: EventsClient) -> None:
    async with client.stream("/a/b"):
        pass
    assert events.connections[0].frames[-1]["type"] == "unsubscribe"


async def test_stream_size_is_at_least_one(client: EventsClient) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        client.stream("/a/b", size=0)
