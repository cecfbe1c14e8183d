"""The functions of the front-end guide: acknowledged subscriptions, timestamps, and failures as exceptions."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from appsync_events import (
    ApiKey,
    Backoff,
    EventsClient,
    EventsFailedError,
    PublishRefusedError,
    SubscriptionRefusedError,
    UserPoolToken,
)
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.every_mode import EveryMode, every_mode

from client.compat import (
    SubscriptionGroup,
    UsersMissedError,
    batch_publish,
    publish_event,
    publish_event_from_server,
    publish_to_users,
    subscribe_to_call_session,
    subscribe_to_channel,
    subscribe_to_channels,
    subscribe_to_user_messages,
    subscribe_to_user_notifications,
)

QUICK = Backoff(base=0.01, cap=0.02)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
async def api(tmp_path: Path, key: rsa.RSAPrivateKey) -> AsyncIterator[EveryMode]:
    async with every_mode(tmp_path, key) as api:
        for name in ("chats", "users", "calls"):
            await api.service.namespace(name)
        yield api


@pytest.fixture
async def client(api: EveryMode) -> AsyncIterator[EventsClient]:
    async with EventsClient(api.endpoint, ApiKey(api.service.key), backoff=QUICK) as client:
        yield client


async def take(queue: asyncio.Queue[Any], count: int) -> list[Any]:
    async with asyncio.timeout(20):
        return [await queue.get() for _ in range(count)]


async def test_channel_is_subscribed_from_return_until_close(client: EventsClient) -> None:
    received: asyncio.Queue[Any] = asyncio.Queue()
    subscriptions = await subscribe_to_channel(client, "/open/a", received.put_nowait)
    await publish_event(client, "/open/a", {"type": "A", "data": 1})
    [event] = await take(received, 1)
    assert (event["type"], event["data"]) == ("A", 1)
    assert TIME.fullmatch(event["timestamp"])
    await subscriptions.close()
    await publish_event(client, "/open/a", {"type": "A", "data": 2})
    await client.publish("/open/a", [0])
    assert received.empty()


async def test_existing_timestamp_is_kept(client: EventsClient) -> None:
    received: asyncio.Queue[Any] = asyncio.Queue()
    async with await subscribe_to_channel(client, "/open/a", received.put_nowait):
        await publish_event(client, "/open/a", {"type": "A", "data": 1, "timestamp": "then"})
        assert (await take(received, 1))[0]["timestamp"] == "then"


async def test_callback_of_several_channels_gets_the_channel_of_each_event(client: EventsClient) -> None:
    received: asyncio.Queue[Any] = asyncio.Queue()
    channels = ["/open/a", "/open/b"]
    async with await subscribe_to_channels(client, channels, lambda event, channel: received.put_nowait(channel)):
        await publish_event(client, "/open/b", {"type": "B"})
        await publish_event(client, "/open/a", {"type": "A"})
        assert await take(received, 2) == ["/open/b", "/open/a"]


async def test_one_refused_channel_unsubscribes_the_others(client: EventsClient) -> None:
    received: asyncio.Queue[Any] = asyncio.Queue()
    with pytest.raises(SubscriptionRefusedError, match="/moderated/closed"):
        await subscribe_to_channels(
            client, ["/open/a", "/moderated/closed"], lambda event, channel: received.put_nowait(channel)
        )
    await publish_event(client, "/open/a", {"type": "A"})
    await client.publish("/open/a", [0])
    assert received.empty()


@pytest.mark.parametrize(
    ("subscribe", "channel"),
    [
        (subscribe_to_user_messages, "/chats/ada"),
        (subscribe_to_user_notifications, "/users/ada"),
        (subscribe_to_call_session, "/calls/ada"),
    ],
)
async def test_functions_of_users_and_calls_subscribe_to_their_channels(
    client: EventsClient, subscribe: Callable[..., Awaitable[SubscriptionGroup]], channel: str
) -> None:
    received: asyncio.Queue[Any] = asyncio.Queue()
    async with await subscribe(client, "ada", received.put_nowait):
        await publish_event(client, channel, {"type": "A"})
        assert (await take(received, 1))[0]["type"] == "A"


async def test_batch_of_several_requests_keeps_its_order(client: EventsClient) -> None:
    received: asyncio.Queue[Any] = asyncio.Queue()
    async with await subscribe_to_channel(client, "/open/a", received.put_nowait):
        result = await batch_publish(client, "/open/a", [{"type": "N", "data": n} for n in range(12)])
        assert [event["data"] for event in await take(received, 12)] == list(range(12))
    assert len(result.successful) == 12


async def test_rejected_event_raises(client: EventsClient) -> None:
    with pytest.raises(EventsFailedError, match=r"1 of 1 events failed: .*240KB"):
        await publish_event(client, "/open/a", {"type": "LARGE", "data": "x" * 250_000})


async def test_server_publishes_with_a_temporary_client(api: EveryMode, client: EventsClient) -> None:
    received: asyncio.Queue[Any] = asyncio.Queue()
    async with await subscribe_to_channel(client, "/open/a", received.put_nowait):
        await publish_event_from_server(api.endpoint, "/open/a", {"type": "S"}, UserPoolToken(api.service.pool.token()))
        assert (await take(received, 1))[0]["type"] == "S"
    with pytest.raises(PublishRefusedError) as refused:
        await publish_event_from_server(api.endpoint, "/open/a", {"type": "S"}, UserPoolToken("no token"))
    assert refused.value.status == 401


async def test_each_user_gets_the_event_once_with_the_same_timestamp(client: EventsClient) -> None:
    received: asyncio.Queue[Any] = asyncio.Queue()
    async with await subscribe_to_channel(client, "/chats/*", received.put_nowait):
        users = [f"user-{n}" for n in range(25)]
        results = await publish_to_users(client, [*users, "user-0"], "/chats", {"type": "T"})
        events = await take(received, 25)
    assert sorted(results) == sorted(users)
    assert len({event["timestamp"] for event in events}) == 1


async def test_failure_for_one_user_is_reported_and_does_not_affect_the_others(client: EventsClient) -> None:
    received: asyncio.Queue[Any] = asyncio.Queue()
    async with await subscribe_to_channel(client, "/chats/*", received.put_nowait):
        with pytest.raises(UsersMissedError, match="the publish failed for 1 of 3 users") as missed:
            await publish_to_users(client, ["ada", "no such_id", "grace"], "/chats/", {"type": "T"})
        await take(received, 2)
    assert set(missed.value.failures) == {"no such_id"}
    assert set(missed.value.results) == {"ada", "grace"}
