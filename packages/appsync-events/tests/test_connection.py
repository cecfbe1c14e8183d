"""The connection comes back from every kind of loss, and says plainly when it cannot."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from appsync_events import (
    ConnectionLostError,
    ConnectionRefusedByServerError,
    ConnectionState,
    EventsClient,
    EventsError,
    NoCredentialsError,
    PublishRefusedError,
    UserPoolToken,
)
from events_harness.listener import QUICK, Listener, listen, refusal, tokens
from events_harness.server import EventServer


async def test_a_connection_that_cannot_restore_its_subscriptions_is_replaced(
    events: EventServer, socket: EventsClient, listener: Listener
) -> None:
    await listen(socket, listener)
    events.on_subscribe = lambda frame: (
        refusal("subscribe_error", frame["id"], "SubscriptionProcessingError")
        if len(events.connections) == 2
        else events.accept(frame)
    )
    await events.cut()
    await listener.until("live", "live")
    await socket.connected()
    assert len(events.connections) == 3


async def test_a_refused_connection_is_tried_once_more_with_a_new_token(
    events: EventServer, socket: EventsClient
) -> None:
    await socket.connected()
    events.on_connect = lambda authorization: (
        refusal("connection_error", None, "UnauthorizedException", 401)
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
    events.on_connect = lambda authorization: refusal("connection_error", None, "UnauthorizedException", 401)
    await events.cut()
    await events.until(lambda: len(events.connections) == 3)
    with pytest.raises(ConnectionRefusedByServerError, match="UnauthorizedException"):
        await socket.subscribe("/a/b", print)
    with pytest.raises(ConnectionRefusedByServerError):
        await socket.connected()
    assert socket.state is ConnectionState.REFUSED
    assert len(events.connections) == 3


async def test_a_client_that_was_refused_for_good_can_begin_anew(events: EventServer, socket: EventsClient) -> None:
    events.on_connect = lambda authorization: refusal("connection_error", None, "UnauthorizedException", 401)
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
        refusal("connection_error", None, "InternalFailureException", 500)
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


async def test_a_publish_says_what_passed_and_what_did_not(events: EventServer, socket: EventsClient) -> None:
    assert len((await socket.publish("/a/b", [1, 2])).successful) == 2
    events.on_publish = lambda frame: refusal("publish_error", frame["id"], "BadRequestException")
    with pytest.raises(PublishRefusedError, match="BadRequestException"):
        await socket.publish("/a/b", [1])
    events.on_publish = lambda frame: refusal("publish_error", frame["id"], "UnauthorizedException")
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
