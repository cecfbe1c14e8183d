"""Servers and a connection pool for one test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from events_harness.server import EventServer

from tests.harness.client.servers import ApiServer


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
async def api() -> AsyncIterator[ApiServer]:
    server = ApiServer()
    await server.start()
    yield server
    await server.stop()
