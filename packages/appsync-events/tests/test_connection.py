"""The connection recovers from every kind of loss, and reports when it cannot."""

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
    Timeout,
    UserPoolToken,
)
from events_harness.listener import QUICK, Listener, listen, refusal, tokens
from events_harness.server import EventServer


async def test_connection_that_cannot_restore_its_subscriptions_is_replaced(
    events: EventServer, client: EventsClient, listener: Listener
) -> None:
    await listen(client, listener)
    events.on_subscribe = lambda frame: (
        refusal("subscribe_error", frame["id"], "SubscriptionProcessingError")
        if len(events.connections) == 2
        else events.accept(frame)
    )
    await events.cut()
    await listener.until("live", "live")
    await client.connected()
    assert len(events.connections) == 3


async def test_reconnect_opens_a_new_connection_and_restores_the_subscriptions(
    events: EventServer, client: EventsClient, listener: Listener
) -> None:
    await listen(client, listener)
    await client.reconnect()
    await listener.until("live", "live")
    await client.connected()
    assert len(events.connections) == 2


async def test_refused_connection_is_retried_once_with_a_new_token(events: EventServer, client: EventsClient) -> None:
    await client.connected()
    events.on_connect = lambda authorization: (
        refusal("connection_error", None, "UnauthorizedException", 401)
        if authorization["Authorization"] == "t0"
        else events.acknowledgement()
    )
    await events.cut()
    await events.until(lambda: len(events.connections) == 3)
    await client.connected()
    assert [connection.authorization["Authorization"] for connection in events.connections] == ["t0", "t0", "t1"]


async def test_final_refusal_fails_all_waiting_operations_with_the_reason(
    events: EventServer, client: EventsClient
) -> None:
    await client.connected()
    events.on_connect = lambda authorization: refusal("connection_error", None, "UnauthorizedException", 401)
    await events.cut()
    await events.until(lambda: len(events.connections) == 3)
    with pytest.raises(ConnectionRefusedByServerError, match="UnauthorizedException"):
        await client.subscribe("/a/b", print)
    with pytest.raises(ConnectionRefusedByServerError):
        await client.connected()
    assert client.state is ConnectionState.REFUSED
    assert len(events.connections) == 3


async def test_start_connects_again_after_a_final_refusal(events: EventServer, client: EventsClient) -> None:
    events.on_connect = lambda authorization: refusal("connection_error", None, "UnauthorizedException", 401)
    with pytest.raises(ConnectionRefusedByServerError):
        await client.connected()
    events.on_connect = lambda authorization: events.acknowledgement()
    client.start()
    assert (await client.subscribe("/a/b", print)).live


async def test_each_connection_and_subscription_requests_its_own_credentials(
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


async def test_server_error_while_connecting_is_retried(events: EventServer, client: EventsClient) -> None:
    await client.connected()
    events.on_connect = lambda authorization: (
        refusal("connection_error", None, "InternalFailureException", 500)
        if len(events.connections) < 5
        else events.acknowledgement()
    )
    await events.cut()
    await events.until(lambda: len(events.connections) == 5)
    await client.connected()


async def test_connection_ends_when_no_credentials_are_left(events: EventServer, http: aiohttp.ClientSession) -> None:
    def signed_out(refused: str | None) -> str:
        raise NoCredentialsError("sign in again")

    async with EventsClient(events.endpoint, UserPoolToken(signed_out), http=http, backoff=QUICK) as client:
        with pytest.raises(NoCredentialsError):
            await client.connected()


async def test_silence_longer_than_announced_counts_as_connection_loss(
    events: EventServer, http: aiohttp.ClientSession, listener: Listener
) -> None:
    events.silence_ms = 50
    async with EventsClient(events.endpoint, tokens(), http=http, backoff=QUICK) as client:
        await listen(client, listener)
        await events.until(lambda: len(events.connections) >= 3)


async def test_connection_is_replaced_at_its_lifetime(
    events: EventServer, http: aiohttp.ClientSession, listener: Listener
) -> None:
    async with EventsClient(
        events.endpoint, tokens(), http=http, backoff=QUICK, timeout=Timeout(lifetime=0.05)
    ) as client:
        await listen(client, listener)
        await listener.until("live", "live", "live")


@pytest.mark.parametrize("text", ["no frame", '{"type":"data","id":"x"}'])
async def test_invalid_frame_ends_only_that_connection(
    events: EventServer, client: EventsClient, listener: Listener, text: str
) -> None:
    await listen(client, listener)
    await client.connected()
    await events.connections[0].socket.send_str(text)
    await listener.until("live", "live")


async def test_unknown_frames_and_keep_alives_are_ignored(
    events: EventServer, client: EventsClient, listener: Listener
) -> None:
    await listen(client, listener)
    [connection] = events.connections
    for frame in ({"type": "ka"}, {"type": "new_kind"}, {"type": "error", "errors": []}):
        await connection.send(frame)
    await events.push("/a/b", 1)
    await listener.until("live", 1)
    assert len(events.connections) == 1


async def test_publish_returns_the_result_and_raises_refusals(events: EventServer, client: EventsClient) -> None:
    assert len((await client.publish("/a/b", [1, 2])).successful) == 2
    events.on_publish = lambda frame: refusal("publish_error", frame["id"], "BadRequestException")
    with pytest.raises(PublishRefusedError, match="BadRequestException"):
        await client.publish("/a/b", [1])
    events.on_publish = lambda frame: refusal("publish_error", frame["id"], "UnauthorizedException")
    with pytest.raises(PublishRefusedError):
        await client.publish("/a/b", [1])
    tokens = [f["authorization"]["Authorization"] for f in events.connections[0].frames if f["type"] == "publish"]
    assert tokens == ["t0", "t0", "t0", "t1"]


async def test_pending_and_later_operations_fail_when_the_connection_ends(
    events: EventServer, client: EventsClient
) -> None:
    events.on_publish = lambda frame: None
    await client.connected()
    waiting = asyncio.ensure_future(client.publish("/a/b", [1]))
    await events.until(lambda: any(frame["type"] == "publish" for frame in events.connections[0].frames))
    await events.cut()
    with pytest.raises(ConnectionLostError):
        await waiting
    await client.close()
    with pytest.raises(ConnectionLostError):
        await client.connected()


async def test_client_connects_once_the_server_is_available(http: aiohttp.ClientSession) -> None:
    server = EventServer()
    await server.start()
    await server.stop()
    waited = asyncio.Event()

    def on_state(state: ConnectionState, cause: EventsError | None) -> None:
        if state is ConnectionState.WAITING:
            waited.set()

    async with EventsClient(server.endpoint, tokens(), http=http, backoff=QUICK, on_state=on_state) as client:
        client.start()
        await asyncio.wait_for(waited.wait(), 20)
        await server.start()
        await asyncio.wait_for(client.connected(), 20)
    await server.stop()
