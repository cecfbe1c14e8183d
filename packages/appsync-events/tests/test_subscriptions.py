"""A subscription gets only its own events, is restored with the connection, and reports its end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from appsync_events import (
    ConnectionState,
    EventsClient,
    Gap,
    GapReason,
    SubscriptionRefusedError,
)
from events_harness.listener import Listener, listen, refusal
from events_harness.server import EventServer, Frame


async def test_subscription_gets_only_its_own_events(
    events: EventServer, client: EventsClient, listener: Listener
) -> None:
    subscription = await listen(client, listener)
    await client.connected()
    await events.push("/a/c", {"no": 1})
    await events.push("/a/b", {"n": 1}, {"n": 2})
    await listener.until("live", {"n": 1}, {"n": 2})
    [connection] = events.connections
    assert connection.authorization == {"host": events.host, "Authorization": "t0"}
    assert connection.frames[1]["authorization"] == {"host": events.host, "Authorization": "t0"}
    await client.unsubscribe(subscription)
    assert connection.frames[-1] == {"type": "unsubscribe", "id": subscription.id}
    assert connection.subscriptions == {}


async def test_unsubscribe_directly_after_the_acknowledgement(events: EventServer, client: EventsClient) -> None:
    subscription = await client.subscribe("/a/b", print)
    await client.unsubscribe(subscription)
    await client.connected()
    [connection] = events.connections
    assert [frame["type"] for frame in connection.frames] == ["connection_init", "subscribe", "unsubscribe"]


async def test_subscription_cancelled_before_its_answer_is_unsubscribed(
    events: EventServer, client: EventsClient
) -> None:
    await client.connected()
    answers: list[Frame] = []
    events.on_subscribe = lambda frame: answers.append(events.accept(frame))
    subscribing = asyncio.ensure_future(client.subscribe("/a/b", print))
    await events.until(lambda: answers)
    subscribing.cancel()
    await asyncio.gather(subscribing, return_exceptions=True)
    await events.connections[0].send(answers[0])
    await events.until(lambda: events.connections[0].frames[-1] == {"type": "unsubscribe", "id": answers[0]["id"]})


async def test_reconnection_restores_all_subscriptions_with_their_ids(
    events: EventServer, client: EventsClient, listener: Listener
) -> None:
    first, second = await listen(client, listener, "/a/1"), await listen(client, listener, "/a/2")
    await client.connected()
    await events.cut()
    await events.until(lambda: len(events.connections) == 2 and len(events.connections[1].subscriptions) == 2)
    await client.connected()
    assert events.connections[1].subscriptions == {first.id: "/a/1", second.id: "/a/2"}
    assert listener.events().count("live") == 4
    states = [what for what in listener.recorded if isinstance(what, ConnectionState)]
    assert states[1:4] == [ConnectionState.CONNECTED, ConnectionState.WAITING, ConnectionState.CONNECTING]


async def test_ten_subscriptions_are_restored_concurrently(events: EventServer, client: EventsClient) -> None:
    for number in range(12):
        await client.subscribe(f"/a/{number}", print)
    unanswered: list[Frame] = []

    def after_ten(frame: Frame) -> Frame | None:
        unanswered.append(frame)
        if len(unanswered) < 10:
            return None
        answering.extend(
            asyncio.ensure_future(events.connections[-1].send(events.accept(each))) for each in unanswered[:-1]
        )
        unanswered.clear()
        events.on_subscribe = events.accept
        return events.accept(frame)

    answering: list[asyncio.Future[None]] = []
    events.on_subscribe = after_ten
    await events.cut()
    await events.until(lambda: len(events.connections) == 2 and len(events.connections[1].frames) == 13)
    await client.connected()
    await asyncio.gather(*answering)


async def test_on_live_is_called_before_any_event_of_the_new_connection(
    events: EventServer, client: EventsClient, listener: Listener
) -> None:
    await listen(client, listener)

    def accept_and_send(frame: Frame) -> Frame:
        connection = events.connections[-1]
        connection.subscriptions[frame["id"]] = frame["channel"]
        sending.append(asyncio.ensure_future(events.push("/a/b", "early")))
        return events.accept(frame)

    sending: list[asyncio.Future[None]] = []
    events.on_subscribe = accept_and_send
    await events.cut()
    await listener.until("live", "live", "early")
    await asyncio.gather(*sending)


async def test_refused_subscription_raises_and_is_not_retried(events: EventServer, client: EventsClient) -> None:
    events.on_subscribe = lambda frame: refusal("subscribe_error", frame["id"], "Unauthorized")
    with pytest.raises(SubscriptionRefusedError, match="Unauthorized"):
        await client.subscribe("/a/b", print)
    await client.connected()
    [connection] = events.connections
    assert [frame["type"] for frame in connection.frames] == ["connection_init", "subscribe"]


async def test_rejected_token_is_renewed_once_for_a_subscription(events: EventServer, client: EventsClient) -> None:
    events.on_subscribe = lambda frame: (
        refusal("subscribe_error", frame["id"], "UnauthorizedException")
        if frame["authorization"]["Authorization"] == "t0"
        else events.accept(frame)
    )
    subscription = await client.subscribe("/a/b", print)
    assert subscription.live
    events.on_subscribe = lambda frame: refusal("subscribe_error", frame["id"], "UnauthorizedException")
    with pytest.raises(SubscriptionRefusedError):
        await client.subscribe("/a/c", print)


async def test_transient_error_of_a_subscription_is_retried(events: EventServer, client: EventsClient) -> None:
    tries: list[Frame] = []

    def third_time(frame: Frame) -> Frame:
        tries.append(frame)
        if len(tries) < 3:
            return refusal("subscribe_error", frame["id"], "SubscriptionProcessingError")
        return events.accept(frame)

    events.on_subscribe = third_time
    await client.subscribe("/a/b", print)
    assert len({frame["id"] for frame in tries}) == 1


async def test_channel_that_is_no_longer_allowed_is_reported_and_not_retried(
    events: EventServer, client: EventsClient, listener: Listener
) -> None:
    await client.subscribe("/a/b", listener.record, on_refused=lambda error: listener.record("refused"))
    events.on_subscribe = lambda frame: refusal("subscribe_error", frame["id"], "Unauthorized")
    await events.cut()
    await listener.until("refused")
    await client.connected()
    await events.cut()
    await events.until(lambda: len(events.connections) == 3 and events.connections[2].frames)
    await client.connected()
    assert [frame["type"] for frame in events.connections[2].frames] == ["connection_init"]


async def test_unanswered_subscription_is_repeated_on_a_new_connection(
    events: EventServer, client: EventsClient
) -> None:
    events.on_subscribe = lambda frame: None if len(events.connections) == 1 else events.accept(frame)
    subscription = await client.subscribe("/a/b", print)
    assert subscription.live
    assert len(events.connections) == 2


async def test_exception_in_a_callback_does_not_end_the_connection(events: EventServer, client: EventsClient) -> None:
    seen: list[Any] = []

    def raising(event: Any) -> None:
        seen.append(event)
        arrived.set()
        raise RuntimeError("raising")

    arrived = asyncio.Event()
    await client.subscribe("/a/b", raising)
    for number in (1, 2):
        arrived.clear()
        await events.push("/a/b", number)
        await asyncio.wait_for(arrived.wait(), 20)
    assert seen == [1, 2]
    assert client.state is ConnectionState.CONNECTED


async def test_undelivered_event_is_reported_as_a_gap(
    events: EventServer, client: EventsClient, listener: Listener
) -> None:
    subscription = await client.subscribe("/a/b", listener.record, on_gap=listener.record)
    await events.connections[0].send({"type": "broadcast_error", "id": subscription.id, "errors": []})
    await listener.until(Gap(GapReason.NOT_DELIVERED, 1))
