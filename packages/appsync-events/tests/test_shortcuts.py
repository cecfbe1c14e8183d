"""The shortcuts for chats: subscriptions that are acknowledged, events with a time, failures that are never silent."""

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
    Listening,
    PublishRefusedError,
    SubscriptionRefusedError,
    UserPoolToken,
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
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.every_mode import EveryMode, every_mode

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


async def gathered(queue: asyncio.Queue[Any], count: int) -> list[Any]:
    async with asyncio.timeout(20):
        return [await queue.get() for _ in range(count)]


async def test_a_channel_is_heard_from_the_moment_of_return_until_it_is_closed(client: EventsClient) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    listening = await subscribe_to_channel(client, "/open/a", heard.put_nowait)
    await publish_event(client, "/open/a", {"type": "A", "data": 1})
    [event] = await gathered(heard, 1)
    assert (event["type"], event["data"]) == ("A", 1)
    assert TIME.fullmatch(event["timestamp"])
    await listening.close()
    await publish_event(client, "/open/a", {"type": "A", "data": 2})
    await client.publish("/open/a", [0])
    assert heard.empty()


async def test_a_time_that_an_event_has_stays(client: EventsClient) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    async with await subscribe_to_channel(client, "/open/a", heard.put_nowait):
        await publish_event(client, "/open/a", {"type": "A", "data": 1, "timestamp": "then"})
        assert (await gathered(heard, 1))[0]["timestamp"] == "then"


async def test_several_channels_say_which_one_spoke(client: EventsClient) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    channels = ["/open/a", "/open/b"]
    async with await subscribe_to_channels(client, channels, lambda event, channel: heard.put_nowait(channel)):
        await publish_event(client, "/open/b", {"type": "B"})
        await publish_event(client, "/open/a", {"type": "A"})
        assert await gathered(heard, 2) == ["/open/b", "/open/a"]


async def test_several_channels_are_all_or_none(client: EventsClient) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    with pytest.raises(SubscriptionRefusedError, match="/moderated/closed"):
        await subscribe_to_channels(
            client, ["/open/a", "/moderated/closed"], lambda event, channel: heard.put_nowait(channel)
        )
    await publish_event(client, "/open/a", {"type": "A"})
    await client.publish("/open/a", [0])
    assert heard.empty()


@pytest.mark.parametrize(
    ("subscribe", "channel"),
    [
        (subscribe_to_user_messages, "/chats/ada"),
        (subscribe_to_user_notifications, "/users/ada"),
        (subscribe_to_call_session, "/calls/ada"),
    ],
)
async def test_a_user_s_or_call_s_own_channel(
    client: EventsClient, subscribe: Callable[..., Awaitable[Listening]], channel: str
) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    async with await subscribe(client, "ada", heard.put_nowait):
        await publish_event(client, channel, {"type": "A"})
        assert (await gathered(heard, 1))[0]["type"] == "A"


async def test_a_batch_keeps_its_order_whatever_its_length(client: EventsClient) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    async with await subscribe_to_channel(client, "/open/a", heard.put_nowait):
        result = await batch_publish(client, "/open/a", [{"type": "N", "data": n} for n in range(12)])
        assert [event["data"] for event in await gathered(heard, 12)] == list(range(12))
    assert len(result.successful) == 12


async def test_an_event_that_fails_is_an_exception(client: EventsClient) -> None:
    with pytest.raises(EventsFailedError, match=r"1 of 1 events failed: .*240KB"):
        await publish_event(client, "/open/a", {"type": "LARGE", "data": "x" * 250_000})


async def test_a_server_publishes_without_keeping_a_client(api: EveryMode, client: EventsClient) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    async with await subscribe_to_channel(client, "/open/a", heard.put_nowait):
        await publish_event_from_server(api.endpoint, "/open/a", {"type": "S"}, UserPoolToken(api.service.pool.token()))
        assert (await gathered(heard, 1))[0]["type"] == "S"
    with pytest.raises(PublishRefusedError) as refused:
        await publish_event_from_server(api.endpoint, "/open/a", {"type": "S"}, UserPoolToken("no token"))
    assert refused.value.status == 401


async def test_users_are_reached_each_once_and_at_one_time(client: EventsClient) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    async with await subscribe_to_channel(client, "/chats/*", heard.put_nowait):
        users = [f"user-{n}" for n in range(25)]
        results = await publish_to_users(client, [*users, "user-0"], "/chats", {"type": "T"})
        events = await gathered(heard, 25)
    assert sorted(results) == sorted(users)
    assert len({event["timestamp"] for event in events}) == 1


async def test_somebody_who_is_not_reached_is_named_and_keeps_nobody_else_from_it(client: EventsClient) -> None:
    heard: asyncio.Queue[Any] = asyncio.Queue()
    async with await subscribe_to_channel(client, "/chats/*", heard.put_nowait):
        with pytest.raises(UsersMissedError, match="1 of 3 users were not reached") as missed:
            await publish_to_users(client, ["ada", "no such_id", "grace"], "/chats/", {"type": "T"})
        await gathered(heard, 2)
    assert set(missed.value.failures) == {"no such_id"}
    assert set(missed.value.results) == {"ada", "grace"}
