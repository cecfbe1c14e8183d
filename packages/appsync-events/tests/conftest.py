"""A server and a connection pool for one test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from appsync_events import EventsClient
from events_harness.listener import QUICK, Listener, tokens
from events_harness.server import EventServer


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def events() -> AsyncIterator[EventServer]:
    server = EventServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
async def socket(events: EventServer, http: aiohttp.ClientSession, listener: Listener) -> AsyncIterator[EventsClient]:
    made = EventsClient(
        events.endpoint, tokens(), http=http, on_state=listener.on_state, backoff=QUICK, ack_seconds=0.5
    )
    async with made:
        yield made
