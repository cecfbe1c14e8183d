"""With the fault `drop` of the Events service: the first delivery is lost, and no later one shows it."""

from __future__ import annotations

import json
from typing import Any, cast

import aiohttp
import pytest
from appsync_events import Backoff
from service_harness.fixtures import other_key, pool, service, signing_key
from service_harness.running import Running

from client.api.session import Session
from client.chat_client import ChatClient
from client.state.updates import CallChangeKind, SyncState
from tests.harness.client.application import RecordingApplication
from tests.harness.client.backend import ME, ChatBackend, call_view
from tests.harness.client.servers import ApiServer, target

__all__ = ["other_key", "pool", "service", "signing_key"]

QUICK = Backoff(base=0.01, cap=0.02)


class PoolTokens:
    """A signed-in user of the service's user pool."""

    def __init__(self, running: Running) -> None:
        self.user_id = ME
        self._token = str(running.pool.token())

    async def access_token(self, *, refused: str | None = None) -> str:
        return self._token


@pytest.mark.parametrize("namespace", ["chats", "users"])
async def test_what_a_dropped_delivery_carried_appears_without_a_later_one(
    namespace: str,
    service: Running,
    api: ApiServer,
    backend: ChatBackend,
    application: RecordingApplication,
    http: aiohttp.ClientSession,
) -> None:
    for name in ("chats", "users"):
        await service.namespace(name)
    channel = f"/{namespace}/{ME}"
    await service.faults({"match": {"operation": "deliver", "channel": channel}, "effect": "drop", "times": 1})
    client = ChatClient(
        target(api.url, service.host, api.url), cast(Session, PoolTokens(service)),
        http=http, backoff=QUICK, connection_backoff=QUICK, check_seconds=(0.3, 0.3),
    )  # fmt: skip
    client.add_listener(application.take)
    try:
        await client.start()
        assert client.sync_state is SyncState.CURRENT
        if namespace == "chats":
            message = backend.store("dropped")
            document: dict[str, Any] = {"type": "MESSAGE_SENT", "data": {**message, "tempId": None}}
        else:
            backend.calls["s"] = call_view(1, "RINGING", me="RINGING", other="JOINED")
            document = {"type": "CALL_RINGING", "data": {"sessionId": "s", "version": 1, "status": "RINGING"}}
        event = {"eventId": "e1", "timestamp": "2026-01-01T00:00:00.000Z", **document}
        status, answer = await service.post(channel, json.dumps(event))
        assert (status, answer["failed"]) == (200, [])
        if namespace == "chats":
            await application.until(lambda: application.texts() == ["dropped"])
        else:
            await application.until(lambda: application.call_changes() == [CallChangeKind.INCOMING])
        (rule,) = (await service.registered("GET", "faults"))["rules"]
        assert rule["times"] == 0, "the delivery was dropped"
    finally:
        await client.close()
