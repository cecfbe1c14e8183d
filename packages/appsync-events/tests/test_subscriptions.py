"""A subscription gets its events and no others, comes back with the connection, and says plainly when it has ended."""

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


async def test_a_subscription_gets_its_events_and_only_those(
    events: EventServer, socket: EventsClient, listener: Listener
) -> None:
    subscription = await listen(socket, listener)
    await socket.connected()
    await events.push("/a/c", {"no": 1})
    await events.push("/a/b", {"n": 1}, {"n": 2})
    await listener.until("live", {"n": 1}, {"n": 2})
    [connection] = events.connections
    assert connection.authorization == {"host": events.host, "Authorization": "t0"}
    assert connection.frames[1]["authorization"] == {"host": events.host, "Authorization": "t0"}
    await socket.unsubscribe(subscription)
    assert connection.frames[-1] == {"type": "unsubscribe", "id": subscription.id}
    assert connection.subscriptions == {}


async def test_a_subscription_can_be_given_up_the_moment_it_is_acknowledged(
    events: EventServer, socket: EventsClient
) -> None:
    subscription = await socket.subscribe("/a/b", print)
    await socket.unsubscribe(subscription)
    await socket.connected()
    [connection] = events.connections
    assert [frame["type"] for frame in connection.frames] == ["connection_init", "subscribe", "unsubscribe"]


async def test_a_subscription_that_was_given_up_before_its_answer_is_ended_on_the_server(
    events: EventServer, socket: EventsClient
) -> None:
    await socket.connected()
    answers: list[Frame] = []
    events.on_subscribe = lambda frame: answers.append(events.accept(frame))
    subscribing = asyncio.ensure_future(socket.subscribe("/a/b", print))
    await events.until(lambda: answers)
    subscribing.cancel()
    await asyncio.gather(subscribing, return_exceptions=True)
    await events.connections[0].send(answers[0])
    await events.until(lambda: events.connections[0].frames[-1] == {"type": "unsubscribe", "id": answers[0]["id"]})


async def test_a_lost_connection_comes_back_with_the_same_subscriptions(
    events: EventServer, socket: EventsClient, listener: Listener
) -> None:
    first, second = await listen(socket, listener, "/a/1"), await listen(socket, listener, "/a/2")
    await socket.connected()
    await events.cut()
    await events.until(lambda: len(events.connections) == 2 and len(events.connections[1].subscriptions) == 2)
    await socket.connected()
    assert events.connections[1].subscriptions == {first.id: "/a/1", second.id: "/a/2"}
    assert listener.said().count("live") == 4
    states = [what for what in listener.told if isinstance(what, ConnectionState)]
    assert states[1:4] == [ConnectionState.CONNECTED, ConnectionState.WAITING, ConnectionState.CONNECTING]


async def test_subscriptions_come_back_together_not_one_after_the_other(
    events: EventServer, socket: EventsClient
) -> None:
    for number in range(12):
        await socket.subscribe(f"/a/{number}", print)
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
    await socket.connected()
    await asyncio.gather(*answering)


async def test_the_owner_hears_that_it_is_live_before_any_event_of_the_new_connection(
    events: EventServer, socket: EventsClient, listener: Listener
) -> None:
    await listen(socket, listener)

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


async def test_a_refused_subscription_is_an_error_and_not_repeated(events: EventServer, socket: EventsClient) -> None:
    events.on_subscribe = lambda frame: refusal("subscribe_error", frame["id"], "Unauthorized")
    with pytest.raises(SubscriptionRefusedError, match="Unauthorized"):
        await socket.subscribe("/a/b", print)
    await socket.connected()
    [connection] = events.connections
    assert [frame["type"] for frame in connection.frames] == ["connection_init", "subscribe"]


async def test_a_refused_token_is_renewed_once_for_a_subscription(events: EventServer, socket: EventsClient) -> None:
    events.on_subscribe = lambda frame: (
        refusal("subscribe_error", frame["id"], "UnauthorizedException")
        if frame["authorization"]["Authorization"] == "t0"
        else events.accept(frame)
    )
    subscription = await socket.subscribe("/a/b", print)
    assert subscription.live
    events.on_subscribe = lambda frame: refusal("subscribe_error", frame["id"], "UnauthorizedException")
    with pytest.raises(SubscriptionRefusedError):
        await socket.subscribe("/a/c", print)


async def test_a_passing_fault_of_a_subscription_is_tried_again(events: EventServer, socket: EventsClient) -> None:
    tries: list[Frame] = []

    def third_time(frame: Frame) -> Frame:
        tries.append(frame)
        if len(tries) < 3:
            return refusal("subscribe_error", frame["id"], "SubscriptionProcessingError")
        return events.accept(frame)

    events.on_subscribe = third_time
    await socket.subscribe("/a/b", print)
    assert len({frame["id"] for frame in tries}) == 1


async def test_a_channel_that_is_no_longer_allowed_is_told_and_given_up(
    events: EventServer, socket: EventsClient, listener: Listener
) -> None:
    await socket.subscribe("/a/b", listener.tell, on_refused=lambda error: listener.tell("refused"))
    events.on_subscribe = lambda frame: refusal("subscribe_error", frame["id"], "Unauthorized")
    await events.cut()
    await listener.until("refused")
    await socket.connected()
    await events.cut()
    await events.until(lambda: len(events.connections) == 3 and events.connections[2].frames)
    await socket.connected()
    assert [frame["type"] for frame in events.connections[2].frames] == ["connection_init"]


async def test_an_unanswered_subscription_is_asked_for_again_on_a_new_connection(
    events: EventServer, socket: EventsClient
) -> None:
    events.on_subscribe = lambda frame: None if len(events.connections) == 1 else events.accept(frame)
    subscription = await socket.subscribe("/a/b", print)
    assert subscription.live
    assert len(events.connections) == 2


async def test_an_owners_mistake_does_not_end_the_connection(events: EventServer, socket: EventsClient) -> None:
    seen: list[Any] = []

    def clumsy(event: Any) -> None:
        seen.append(event)
        arrived.set()
        raise RuntimeError("clumsy")

    arrived = asyncio.Event()
    await socket.subscribe("/a/b", clumsy)
    for number in (1, 2):
        arrived.clear()
        await events.push("/a/b", number)
        await asyncio.wait_for(arrived.wait(), 20)
    assert seen == [1, 2]
    assert socket.state is ConnectionState.CONNECTED


async def test_a_lost_event_is_told_to_the_owner(events: EventServer, socket: EventsClient, listener: Listener) -> None:
    subscription = await socket.subscribe("/a/b", listener.tell, on_gap=listener.tell)
    await events.connections[0].send({"type": "broadcast_error", "id": subscription.id, "errors": []})
    await listener.until(Gap(GapReason.NOT_DELIVERED, 1))
