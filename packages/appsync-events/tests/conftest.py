"""Fixtures: a scripted Event API and a client of it, and a real one with all auth modes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from appsync_events import EventsClient, Timeout
from events_harness.listener import QUICK, Listener, tokens
from events_harness.local_api import LocalApi, local_api
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
async def client(events: EventServer, http: aiohttp.ClientSession, listener: Listener) -> AsyncIterator[EventsClient]:
    """A client of the scripted API."""
    timeout = Timeout(connect=0.5, acknowledge=0.5, publish=0.5)
    made = EventsClient(
        events.endpoint, tokens(), http=http, on_state=listener.on_state, backoff=QUICK, timeout=timeout
    )
    async with made:
        yield made


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalApi]:
    """An Event API with all auth modes, served by `appsync-events-local`."""
    with local_api(tmp_path_factory.mktemp("local-api")) as served:
        yield served
