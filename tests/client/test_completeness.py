"""The view becomes complete although an event never arrives and no later one follows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import cast

import aiohttp
import pytest
from appsync_events import Backoff

from client.api.server_clock import ServerClock
from client.api.session import Session
from client.chat_client import ChatClient
from client.recovery import CHECK_SECONDS
from client.state.updates import CallChangeKind, SyncState
from contract.limits import CHECK_FIRST_MS, CHECK_INTERVAL_MS, GAP_SETTLE_MS
from tests.harness.client.application import RecordingApplication
from tests.harness.client.backend import ME, ChatBackend, call_view
from tests.harness.client.servers import NumberedTokens

QUICK = Backoff(base=0.01, cap=0.02)


def test_checks_come_after_three_seconds_and_then_every_minute() -> None:
    assert (CHECK_FIRST_MS, CHECK_INTERVAL_MS) == (3_000, 60_000)
    assert CHECK_SECONDS == (3.0, 60.0)


@pytest.fixture
async def checking(
    backend: ChatBackend, application: RecordingApplication, http: aiohttp.ClientSession
) -> AsyncIterator[ChatClient]:
    """A client that checks its completeness every 50 ms."""
    session = cast(Session, NumberedTokens(ME))
    client = ChatClient(
        backend.target, session, http=http, backoff=QUICK, connection_backoff=QUICK, check_seconds=(0.05, 0.05)
    )
    client.add_listener(application.take)
    yield client
    await client.close()


async def test_a_message_whose_event_was_lost_appears_without_a_later_event(
    backend: ChatBackend, checking: ChatClient, application: RecordingApplication
) -> None:
    await checking.start()
    backend.store("lost")
    await application.until(lambda: application.texts() == ["lost"])
    backend.store("lost again")
    await application.until(lambda: application.texts() == ["lost", "lost again"])
    assert application.sync_states() == [SyncState.RECOVERING, SyncState.CURRENT], "the check is not an outage"


async def test_a_call_whose_event_was_lost_rings(
    backend: ChatBackend, checking: ChatClient, application: RecordingApplication
) -> None:
    await checking.start()
    backend.calls["s"] = call_view(1, "RINGING", me="RINGING", other="JOINED")
    await application.until(lambda: application.call_changes() == [CallChangeKind.INCOMING])


async def test_a_failed_check_is_repeated(
    backend: ChatBackend, checking: ChatClient, application: RecordingApplication
) -> None:
    await checking.start()
    backend.failures = 3
    backend.store("lost")
    await application.until(lambda: application.texts() == ["lost"])


async def test_events_during_a_check_are_applied_in_order(
    backend: ChatBackend, checking: ChatClient, application: RecordingApplication
) -> None:
    await checking.start()
    backend.list_gate = asyncio.Event()
    backend.list_requested.clear()
    await asyncio.wait_for(backend.list_requested.wait(), 10)
    await backend.send("one")
    await backend.send("two")
    backend.list_gate.set()
    await application.until(lambda: application.texts() == ["one", "two"])


async def test_events_that_overtake_each_other_cost_no_history_read(
    backend: ChatBackend, chat: ChatClient, application: RecordingApplication
) -> None:
    await chat.start()
    first, second = backend.store("one"), backend.store("two")
    for message in (second, first):
        await backend.publish("MESSAGE_SENT", message | {"tempId": None})
    await application.until(lambda: application.texts() == ["one", "two"])
    await asyncio.sleep(2 * GAP_SETTLE_MS / 1000)
    assert [request.path for request in backend.api.requests if "/api/messages/" in request.path] == []


@pytest.mark.parametrize("device_error", [50.0, -600.0])
async def test_an_incoming_call_rings_as_long_as_the_service_says(
    backend: ChatBackend,
    chat: ChatClient,
    application: RecordingApplication,
    monkeypatch: pytest.MonkeyPatch,
    device_error: float,
) -> None:
    """A device clock that is ahead or behind changes neither that nor how long a call rings."""
    monkeypatch.setattr("client.state.call_tracker.RING_GRACE_SECONDS", 0.2)
    device = time.time
    monkeypatch.setattr(chat.api, "clock", ServerClock(device=lambda: device() + device_error))
    monkeypatch.setattr(chat.calls, "_clock", chat.api.clock)
    view = call_view(1, "RINGING", me="RINGING", other="JOINED")
    end = datetime.now(UTC) + timedelta(seconds=3)
    view["ringsUntil"] = end.isoformat(timespec="milliseconds")
    backend.calls["s"] = view
    await chat.start()
    await application.until(lambda: application.call_changes() == [CallChangeKind.INCOMING])
    await application.until(lambda: application.call_changes()[1:] == [CallChangeKind.MISSED])
    assert datetime.now(UTC).timestamp() >= end.timestamp() - 1, "the Date header has whole seconds"
