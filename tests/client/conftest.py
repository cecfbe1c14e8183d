"""Servers, a client and an HTTP session for one test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import aiohttp
import pytest
from appsync_events import Backoff
from events_harness.server import EventServer

from client.api.session import Session
from client.chat_client import ChatClient
from tests.harness.client.application import RecordingApplication
from tests.harness.client.backend import ME, ChatBackend
from tests.harness.client.servers import ApiServer, NumberedTokens

QUICK = Backoff(base=0.01, cap=0.02)


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


@pytest.fixture
def backend(api: ApiServer, events: EventServer) -> ChatBackend:
    return ChatBackend(api, events)


@pytest.fixture
def application() -> RecordingApplication:
    return RecordingApplication()


@pytest.fixture
async def chat(
    backend: ChatBackend, application: RecordingApplication, http: aiohttp.ClientSession
) -> AsyncIterator[ChatClient]:
    """A client that is not connected yet; the application records its updates."""
    session = cast(Session, NumberedTokens(ME))
    client = ChatClient(backend.target, session, http=http, backoff=QUICK, connection_backoff=QUICK)
    client.add_listener(application.take)
    yield client
    await client.close()
