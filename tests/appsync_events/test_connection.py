"""The connection comes back from every kind of loss with all it had, and says plainly when it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from appsync_events import (
    Backoff,
    ConnectionLostError,
    ConnectionRefusedByServerError,
    ConnectionState,
    EventsClient,
    EventsError,
    Gap,
    GapReason,
    NoCredentialsError,
    PublishRefusedError,
    SubscriptionRefusedError,
    UserPoolToken,
)
from tests.appsync_events.server import EventServer, Frame


def tokens() -> UserPoolToken:
    """Tokens `t0`, `t1`, …: each refusal brings the next."""
    number = 0

    async def token(refused: str | None) -> str:
        nonlocal number
        number += refused == f"t{number}"
        return f"t{number}"

    return UserPoolToken(token)


QUICK = Backoff(base=0.01, cap=0.02)


class Listener:
    """Everything that a socket tells, in order."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self._changed = asyncio.Event()

    def tell(self, what: Any) -> None:
        self.told.append(what)
        self._changed.set()

    def on_state(self, state: ConnectionState, cause: EventsError | None) -> None:
        self.tell(state)

    def on_live(self) -> None:
        self.tell("live")

    async def until(self, *expected: Any) -> None:
        """Wait until the last things told, states aside, are these."""
        async with asyncio.timeout(20):
            while self.said()[-len(expected) :] != list(expected):
                self._changed.clear()
                await self._changed.wait()

    def said(self) -> list[Any]:
        return [what for what in self.told if not isinstance(what, ConnectionState)]


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


async def listen(socket: EventsClient, listener: Listener, channel: str = "/a/b") -> Any:
    return await socket.subscribe(channel, listener.tell, on_live=listener.on_live)


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
    events.on_subscribe = lambda frame: _refusal("subscribe_error", frame["id"], "Unauthorized")
    with pytest.raises(SubscriptionRefusedError, match="Unauthorized"):
        await socket.subscribe("/a/b", print)
    await socket.connected()
    [connection] = events.connections
    assert [frame["type"] for frame in connection.frames] == ["connection_init", "subscribe"]


def _refusal(kind: str, id: str | None, type: str, code: int | None = None) -> Frame:
    error: Frame = {"errorType": type, "message": "m"} | ({"errorCode": code} if code else {})
    return {"type": kind, "errors": [error]} | ({"id": id} if id else {})


async def test_a_refused_token_is_renewed_once_for_a_subscription(events: EventServer, socket: EventsClient) -> None:
    events.on_subscribe = lambda frame: (
        _refusal("subscribe_error", frame["id"], "UnauthorizedException")
        if frame["authorization"]["Authorization"] == "t0"
        else events.accept(frame)
    )
    subscription = await socket.subscribe("/a/b", print)
    assert subscription.live
    events.on_subscribe = lambda frame: _refusal("subscribe_error", frame["id"], "UnauthorizedException")
    with pytest.raises(SubscriptionRefusedError):
        await socket.subscribe("/a/c", print)


async def test_a_passing_fault_of_a_subscription_is_tried_again(events: EventServer, socket: EventsClient) -> None:
    tries: list[Frame] = []

    def third_time(frame: Frame) -> Frame:
        tries.append(frame)
        if len(tries) < 3:
            return _refusal("subscribe_error", frame["id"], "SubscriptionProcessingError")
        return events.accept(frame)

    events.on_subscribe = third_time
    await socket.subscribe("/a/b", print)
    assert len({frame["id"] for frame in tries}) == 1


async def test_a_connection_that_cannot_restore_its_subscriptions_is_replaced(
    events: EventServer, socket: EventsClient, listener: Listener
) -> None:
    await listen(socket, listener)
    events.on_subscribe = lambda frame: (
        _refusal("subscribe_error", frame["id"], "SubscriptionProcessingError")
        if len(events.connections) == 2
        else events.accept(frame)
    )
    await events.cut()
    await listener.until("live", "live")
    await socket.connected()
    assert len(events.connections) == 3


async def test_a_channel_that_is_no_longer_allowed_is_told_and_given_up(
    events: EventServer, socket: EventsClient, listener: Listener
) -> None:
    await socket.subscribe("/a/b", listener.tell, on_refused=lambda error: listener.tell("refused"))
    events.on_subscribe = lambda frame: _refusal("subscribe_error", frame["id"], "Unauthorized")
    await events.cut()
    await listener.until("refused")
    await socket.connected()
    await events.cut()
    await events.until(lambda: len(events.connections) == 3 and events.connections[2].frames)
    await socket.connected()
    assert [frame["type"] for frame in events.connections[2].frames] == ["connection_init"]


async def test_a_refused_connection_is_tried_once_more_with_a_new_token(
    events: EventServer, socket: EventsClient
) -> None:
    await socket.connected()
    events.on_connect = lambda authorization: (
        _refusal("connection_error", None, "UnauthorizedException", 401)
        if authorization["Authorization"] == "t0"
        else events.acknowledgement()
    )
    await events.cut()
    await events.until(lambda: len(events.connections) == 3)
    await socket.connected()
    assert [connection.authorization["Authorization"] for connection in events.connections] == ["t0", "t0", "t1"]


async def test_a_connection_refused_for_good_ends_every_wait_with_the_reason(
    events: EventServer, socket: EventsClient
) -> None:
    await socket.connected()
    events.on_connect = lambda authorization: _refusal("connection_error", None, "UnauthorizedException", 401)
    await events.cut()
    await events.until(lambda: len(events.connections) == 3)
    with pytest.raises(ConnectionRefusedByServerError, match="UnauthorizedException"):
        await socket.subscribe("/a/b", print)
    with pytest.raises(ConnectionRefusedByServerError):
        await socket.connected()
    assert socket.state is ConnectionState.REFUSED
    assert len(events.connections) == 3


async def test_a_client_that_was_refused_for_good_can_begin_anew(events: EventServer, socket: EventsClient) -> None:
    events.on_connect = lambda authorization: _refusal("connection_error", None, "UnauthorizedException", 401)
    with pytest.raises(ConnectionRefusedByServerError):
        await socket.connected()
    events.on_connect = lambda authorization: events.acknowledgement()
    socket.start()
    assert (await socket.subscribe("/a/b", print)).live


async def test_every_connection_and_subscription_gets_credentials_of_its_own(
    events: EventServer, http: aiohttp.ClientSession
) -> None:
    given: list[str] = []

    def token(refused: str | None) -> str:
        given.append(f"token {len(given)}")
        return given[-1]

    async with EventsClient(events.endpoint, UserPoolToken(token), http=http, backoff=QUICK) as client:
        await client.subscribe("/a/b", print)
        await events.cut()
        await events.until(lambda: len(events.connections) == 2 and events.connections[1].subscriptions)
    seen = [
        (connection.authorization["Authorization"], connection.frames[1]["authorization"]["Authorization"])
        for connection in events.connections
    ]
    assert seen == [("token 0", "token 1"), ("token 2", "token 3")]


async def test_a_server_fault_at_connecting_is_not_final(events: EventServer, socket: EventsClient) -> None:
    await socket.connected()
    events.on_connect = lambda authorization: (
        _refusal("connection_error", None, "InternalFailureException", 500)
        if len(events.connections) < 5
        else events.acknowledgement()
    )
    await events.cut()
    await events.until(lambda: len(events.connections) == 5)
    await socket.connected()


async def test_a_session_that_has_ended_ends_the_connection(events: EventServer, http: aiohttp.ClientSession) -> None:
    def signed_out(refused: str | None) -> str:
        raise NoCredentialsError("sign in again")

    async with EventsClient(events.endpoint, UserPoolToken(signed_out), http=http, backoff=QUICK) as socket:
        with pytest.raises(NoCredentialsError):
            await socket.connected()


async def test_silence_beyond_what_the_server_announced_counts_as_loss(
    events: EventServer, http: aiohttp.ClientSession, listener: Listener
) -> None:
    events.silence_ms = 50
    async with EventsClient(events.endpoint, tokens(), http=http, backoff=QUICK) as socket:
        await listen(socket, listener)
        await events.until(lambda: len(events.connections) >= 3)


async def test_a_connection_is_renewed_before_the_server_would_end_it(
    events: EventServer, http: aiohttp.ClientSession, listener: Listener
) -> None:
    async with EventsClient(events.endpoint, tokens(), http=http, backoff=QUICK, lifetime_seconds=0.05) as socket:
        await listen(socket, listener)
        await listener.until("live", "live", "live")


async def test_an_unanswered_subscription_is_asked_for_again_on_a_new_connection(
    events: EventServer, socket: EventsClient
) -> None:
    events.on_subscribe = lambda frame: None if len(events.connections) == 1 else events.accept(frame)
    subscription = await socket.subscribe("/a/b", print)
    assert subscription.live
    assert len(events.connections) == 2


@pytest.mark.parametrize("text", ["no frame", '{"type":"data","id":"x"}'])
async def test_nonsense_from_the_server_ends_only_that_connection(
    events: EventServer, socket: EventsClient, listener: Listener, text: str
) -> None:
    await listen(socket, listener)
    await socket.connected()
    await events.connections[0].socket.send_str(text)
    await listener.until("live", "live")


async def test_unknown_frames_and_keep_alives_are_passed_over(
    events: EventServer, socket: EventsClient, listener: Listener
) -> None:
    await listen(socket, listener)
    [connection] = events.connections
    for frame in ({"type": "ka"}, {"type": "new_kind"}, {"type": "error", "errors": []}):
        await connection.send(frame)
    await events.push("/a/b", 1)
    await listener.until("live", 1)
    assert len(events.connections) == 1


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


async def test_a_publish_says_what_passed_and_what_did_not(events: EventServer, socket: EventsClient) -> None:
    assert len((await socket.publish("/a/b", [1, 2])).successful) == 2
    events.on_publish = lambda frame: _refusal("publish_error", frame["id"], "BadRequestException")
    with pytest.raises(PublishRefusedError, match="BadRequestException"):
        await socket.publish("/a/b", [1])
    events.on_publish = lambda frame: _refusal("publish_error", frame["id"], "UnauthorizedException")
    with pytest.raises(PublishRefusedError):
        await socket.publish("/a/b", [1])
    tokens = [f["authorization"]["Authorization"] for f in events.connections[0].frames if f["type"] == "publish"]
    assert tokens == ["t0", "t0", "t0", "t1"]


async def test_whoever_waits_for_an_answer_hears_of_the_loss(events: EventServer, socket: EventsClient) -> None:
    events.on_publish = lambda frame: None
    await socket.connected()
    waiting = asyncio.ensure_future(socket.publish("/a/b", [1]))
    await events.until(lambda: any(frame["type"] == "publish" for frame in events.connections[0].frames))
    await events.cut()
    with pytest.raises(ConnectionLostError):
        await waiting
    await socket.close()
    with pytest.raises(ConnectionLostError):
        await socket.connected()


async def test_a_server_that_comes_late_is_found(http: aiohttp.ClientSession) -> None:
    server = EventServer()
    await server.start()
    await server.stop()
    waited = asyncio.Event()

    def on_state(state: ConnectionState, cause: EventsError | None) -> None:
        if state is ConnectionState.WAITING:
            waited.set()

    async with EventsClient(server.endpoint, tokens(), http=http, backoff=QUICK, on_state=on_state) as socket:
        socket.start()
        await asyncio.wait_for(waited.wait(), 20)
        await server.start()
        await asyncio.wait_for(socket.connected(), 20)
    await server.stop()
