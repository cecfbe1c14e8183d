"""Every client on the example template: each namespace with its modes, and the operations that it refuses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from appsync_events import (
    ApiKey,
    EventsClient,
    Iam,
    LambdaToken,
    PublishRefusedError,
    SubscriptionRefusedError,
    UserPoolToken,
)
from appsync_events_local.local_identity import LOCAL_ACCESS_KEY_ID, LOCAL_SECRET_ACCESS_KEY
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.example_api.serving import orders_table, ticker
from service_harness.fixtures import dynamodb_endpoint
from service_harness.running import REGION, SUBPROTOCOL, UserPool, header_protocol
from service_harness.standalone import Standalone

from tests.clients import amplify
from tests.clients.conftest import Node
from tests.clients.other_clients import ObRequest, wscat

__all__ = ["dynamodb_endpoint"]  # a fixture of another directory
pytestmark = pytest.mark.asyncio(loop_scope="module")
MEMBER = "user-1"
GUEST = "let-me-in"
CONVERSATIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "no handlers": (
        {"mode": "apiKey", "channel": "/default/a/b", "refused": {"publish": "/scores/x", "subscribe": "/scores/*"}},
        {"refusal": "Name the match"},
    ),
    "plain functions": (
        {
            "mode": "iam",
            "subscribeMode": "apiKey",
            "payload": {"score": "1:0"},
            "channel": "/scores/final",
            "refused": {"publish": "/default/x", "subscribe": "/scores/*"},
        },
        {"refusal": "Name the match", "mark": "publishedAt"},
    ),
    "own channels only": (
        {
            "mode": "userPool",
            "channel": f"/chat/{MEMBER}",
            "refused": {"publish": "/default/x", "subscribe": "/chat/another-user"},
        },
        {"refusal": "Unauthorized"},
    ),
    "a table": (
        {
            "mode": "apiKey",
            "payload": {"item": "scarf"},
            "channel": "/orders/amplify",
            "refused": {"publish": "/chat/x", "subscribe": f"/chat/{MEMBER}"},
        },
        {"mark": "item"},
    ),
    "a function": (
        {
            "mode": "lambda",
            "subscribeMode": "apiKey",
            "payload": {"bid": 20},
            "channel": "/bids/lamp",
            "refused": {"publish": "/quiz/x", "subscribe": f"/chat/{MEMBER}"},
        },
        {"mark": "accepted"},
    ),
    "a direct function": (
        {
            "mode": "apiKey",
            "payload": {"bid": 20},
            "channel": "/quiz/round",
            "refused": {"publish": "/scores/x", "subscribe": f"/chat/{MEMBER}"},
        },
        {"mark": "accepted"},
    ),
}
"""For each kind of namespace: arguments of `converse` besides address and credentials, and of `amplify.check`."""


@pytest.fixture(scope="module")
def members() -> UserPool:
    return UserPool(rsa.generate_private_key(public_exponent=65537, key_size=2048))


@pytest.fixture(scope="module")
def orders(dynamodb_endpoint: str) -> Iterator[Any]:
    with orders_table(dynamodb_endpoint) as table:
        yield table


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(
    tmp_path_factory: pytest.TempPathFactory, members: UserPool, orders: Any, dynamodb_endpoint: str
) -> AsyncIterator[Standalone]:
    async with ticker(tmp_path_factory.mktemp("foreign"), members, dynamodb_endpoint) as running:
        yield running


def arguments_of(served: Standalone, members: UserPool, conversation: dict[str, Any]) -> dict[str, Any]:
    return conversation | {
        "endpoint": served.endpoints[0].replace("http://", "HTTP://"),
        "apiKey": served.keys[0],
        "accessToken": members.token(sub=MEMBER),
        "authToken": GUEST,
        "credentials": {"accessKeyId": LOCAL_ACCESS_KEY_ID, "secretAccessKey": LOCAL_SECRET_ACCESS_KEY},
    }


@pytest.fixture(scope="module")
def given(served: Standalone, members: UserPool) -> str:
    return json.dumps([arguments_of(served, members, conversation) for conversation, _ in CONVERSATIONS.values()])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def in_node(given: str, node: Node) -> dict[str, Any]:
    """The result of each conversation, in one Node process."""
    return dict(zip(CONVERSATIONS, map(json.loads, await node("amplify_node.mjs", given)), strict=True))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def in_chromium(given: str, node: Node, page: str, browser: str) -> dict[str, Any]:
    """The result of each conversation, in one browser."""
    lines = await node("amplify_chromium.mjs", browser, page, given, seconds=110)
    return dict(zip(CONVERSATIONS, map(json.loads, lines), strict=True))


@pytest.mark.parametrize("namespace", CONVERSATIONS)
async def test_amplify_in_node_subscribes_publishes_and_is_refused(in_node: dict[str, Any], namespace: str) -> None:
    amplify.check(in_node[namespace], **CONVERSATIONS[namespace][1])


@pytest.mark.browser
@pytest.mark.parametrize("namespace", CONVERSATIONS)
async def test_amplify_in_chromium_subscribes_publishes_and_is_refused(
    in_chromium: dict[str, Any], namespace: str
) -> None:
    amplify.check(in_chromium[namespace], **CONVERSATIONS[namespace][1])


async def test_python_client_uses_every_namespace(served: Standalone, members: UserPool, orders: Any) -> None:
    iam = Iam.from_keys(LOCAL_ACCESS_KEY_ID, LOCAL_SECRET_ACCESS_KEY, region=REGION)
    member, guest = UserPoolToken(members.token(sub=MEMBER)), LambdaToken(GUEST)
    async with EventsClient(served.endpoints[0], ApiKey(served.keys[0])) as client:
        for publish in (client.publish, client.publish_http):
            async with client.stream("/default/*") as events:
                await publish("/default/a/b", [1, "two"])
                assert await taken(events, 2) == [1, "two"]
            async with client.stream("/scores/final") as events:
                result = await publish("/scores/final", [{"weather": "rain"}, {"score": "2:1"}], auth=iam)
                assert (result.dropped, len(result.successful)) == ((0,), 1)
                assert (await taken(events, 1))[0]["score"] == "2:1"
            async with client.stream(f"/chat/{MEMBER}", auth=member) as events:
                await publish(f"/chat/{MEMBER}", ["hello"], auth=member)
                assert await taken(events, 1) == ["hello"]
            async with client.stream("/orders/python") as events:
                [order] = (await publish("/orders/python", [{"item": "scarf"}])).successful
                assert await taken(events, 1) == [{"item": "scarf"}]
                key = {"channel": {"S": "/orders/python"}, "id": {"S": order.identifier}}
                assert "Item" in await asyncio.to_thread(orders.get_item, TableName="ticker-dev-orders", Key=key)
            async with client.stream("/bids/*") as events:
                result = await publish("/bids/lamp", [{"bid": 3}, {"bid": 30}], auth=guest)
                assert [(event.index, event.message) for event in result.failed] == [(0, "A bid is 10 at least")]
                assert await taken(events, 1) == [{"bid": 30, "accepted": True}]
            for channel, auth in [("/scores/x", None), ("/default/x", iam), ("/default/x", member), ("/quiz/x", guest)]:
                with pytest.raises(PublishRefusedError, match="UnauthorizedException"):
                    await publish(channel, [{"score": "9:9"}], auth=auth)
        with pytest.raises(SubscriptionRefusedError, match="Name the match that you want to follow"):
            await client.subscribe("/scores/*", print)
        with pytest.raises(SubscriptionRefusedError, match="Unauthorized"):
            await client.subscribe("/chat/another-user", print, auth=member)


async def taken(events: Any, count: int) -> list[Any]:
    return [await asyncio.wait_for(anext(events), 20) for _ in range(count)]


async def test_ob_appsync_events_request_publishes_scores(served: Standalone, node: Node, tmp_path: Path) -> None:
    address = served.endpoints[0]
    publish = ObRequest(address, node, tmp_path / "events.json", LOCAL_ACCESS_KEY_ID, LOCAL_SECRET_ACCESS_KEY)
    async with EventsClient(address, ApiKey(served.keys[0])) as client, client.stream("/scores/final") as events:
        answer = await publish("/scores/final", [{"score": "3:3"}])
        assert answer["status"] == 200
        assert (await taken(events, 1))[0]["score"] == "3:3"
    assert (await publish("/default/x", [1]))["status"] == 401


async def test_wscat_subscribes_and_publishes_bids(served: Standalone) -> None:
    own = {"host": served.endpoints[0].split("/")[2], "x-api-key": served.keys[0]}
    guest = {**own, "Authorization": GUEST}
    del guest["x-api-key"]
    offered = ["-s", SUBPROTOCOL, "-s", header_protocol(own)]
    url, start = served.endpoints[0].replace("http", "ws", 1) + "/realtime", {"type": "connection_init"}
    subscribe = {"type": "subscribe", "id": "s", "channel": "/bids/*", "authorization": own}
    forbidden = {"type": "subscribe", "id": "f", "channel": "/scores/*", "authorization": own}
    publish = {"type": "publish", "id": "p", "channel": "/bids/x", "events": ['{"bid":11}'], "authorization": guest}
    async with wscat(url, offered, start, subscribe, forbidden) as received:
        first = {frame["type"]: frame for frame in [await received() for _ in range(3)]}
        assert set(first) == {"connection_ack", "subscribe_success", "subscribe_error"}
        assert first["subscribe_error"]["errors"][0]["errorType"] == "WildcardNotAllowed"
        async with wscat(url, offered, start, publish) as answered:
            assert [(await answered())["type"] for _ in range(2)] == ["connection_ack", "publish_success"]
        assert json.loads((await received())["event"]) == {"bid": 11, "accepted": True}
