"""The example template is served completely: every namespace, mode and kind of handler, over HTTP and the socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from typing import Any

import pytest
import pytest_asyncio
from appsync_events_local.local_identity import LOCAL_ACCESS_KEY_ID, LOCAL_SECRET_ACCESS_KEY
from botocore.credentials import Credentials
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.example_api.serving import TABLE, orders_table, ticker
from service_harness.running import UserPool, signed_headers
from service_harness.standalone import Standalone

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def members(signing_key: rsa.RSAPrivateKey) -> UserPool:
    return UserPool(signing_key)


@pytest.fixture(scope="module")
def orders(dynamodb_endpoint: str) -> Iterator[Any]:
    """A client of the emulator with the template's table."""
    with orders_table(dynamodb_endpoint) as table:
        yield table


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="ticker")
async def served_ticker(
    tmp_path_factory: pytest.TempPathFactory, members: UserPool, orders: Any, dynamodb_endpoint: str
) -> AsyncIterator[Standalone]:
    async with ticker(tmp_path_factory.mktemp("ticker"), members, dynamodb_endpoint) as running:
        yield running


def texts(*payloads: Any) -> list[str]:
    return [json.dumps(payload) for payload in payloads]


async def signed_post(ticker: Standalone, channel: str, *payloads: Any, secret: str = "") -> tuple[int, Any]:
    """Publish over HTTP with a signature of the local access key."""
    url = ticker.endpoints[0]
    body = json.dumps({"channel": channel, "events": texts(*payloads)}).encode()
    headers = signed_headers(url, body, Credentials(LOCAL_ACCESS_KEY_ID, secret or LOCAL_SECRET_ACCESS_KEY))
    async with ticker.session.post(url, data=BytesIO(body), headers=headers) as answer:
        return answer.status, await answer.json()


async def test_events_on_channels_without_handlers_are_broadcast_unchanged(ticker: Standalone) -> None:
    socket = await ticker.subscribed("/default/*")
    assert (await ticker.post("default/deep/er", '"over http"'))[0] == 200
    assert (await socket.receive())["event"] == '"over http"'
    published = {(await socket.publish("/default/x", '"over the socket"'))["type"], (await socket.receive())["type"]}
    assert published == {"publish_success", "data"}


async def test_scores_are_published_by_iam_callers_and_get_a_timestamp(ticker: Standalone) -> None:
    socket = await ticker.subscribed("/scores/final")
    status, answer = await signed_post(ticker, "/scores/final", {"score": "2:1"}, {"weather": "rain"})
    assert (status, len(answer["successful"]), answer["failed"]) == (200, 1, [])
    event = json.loads((await socket.receive())["event"])
    assert event["score"] == "2:1"
    assert event["publishedAt"].endswith("Z")
    assert (await signed_post(ticker, "/scores/final", {"score": "9:9"}, secret="wrong"))[0] == 401
    assert (await ticker.post("scores/final", *texts({"score": "9:9"})))[0] == 401, "an API key may only subscribe"


async def test_scores_cannot_be_subscribed_to_with_a_wildcard(ticker: Standalone) -> None:
    socket = await ticker.connect()
    refused = await socket.subscribe("/scores/*")
    assert refused["type"] == "subscribe_error"
    assert refused["errors"][0] == {
        "errorType": "WildcardNotAllowed",
        "message": "Name the match that you want to follow",
    }


async def test_members_can_subscribe_only_to_their_own_channel(ticker: Standalone, members: UserPool) -> None:
    own = {"host": ticker.endpoints[0].split("/")[2], "Authorization": members.token(sub="ada")}
    socket = await ticker.connect(own)
    assert (await socket.subscribe("/chat/ada"))["type"] == "subscribe_success"
    for channel in ("/chat/bob", "/chat/*", "/chat/ada/deeper", "/chat"):
        refused = await socket.subscribe(channel, id="other")
        assert (refused["type"], refused["errors"][0]["errorType"]) == ("subscribe_error", "Unauthorized")
    status, _ = await ticker.post("chat/ada", '"hello"', headers={"authorization": members.token(sub="bob")})
    assert status == 200
    assert (await socket.receive())["event"] == '"hello"'
    assert (await ticker.post("chat/ada", '"hello"'))[0] == 401


async def test_orders_are_stored_before_they_are_broadcast(ticker: Standalone, orders: Any) -> None:
    socket = await ticker.subscribed("/orders/shop")
    status, answer = await ticker.post("orders/shop", *texts({"item": "scarf", "pieces": 2}))
    assert status == 200
    assert json.loads((await socket.receive())["event"]) == {"item": "scarf", "pieces": 2}
    key = {"channel": {"S": "/orders/shop"}, "id": {"S": answer["successful"][0]["identifier"]}}
    stored = await asyncio.to_thread(orders.get_item, TableName=TABLE, Key=key)
    assert (stored["Item"]["item"], stored["Item"]["pieces"]) == ({"S": "scarf"}, {"N": "2"})


async def test_function_as_a_data_source_accepts_and_rejects_bids(ticker: Standalone) -> None:
    socket = await ticker.subscribed("/bids/lamp")
    status, answer = await ticker.post("bids/lamp", *texts({"bid": 3}, {"bid": 30}))
    assert (status, [item["index"] for item in answer["failed"]]) == (200, [0])
    assert answer["failed"][0]["message"] == "A bid is 10 at least"
    assert json.loads((await socket.receive())["event"]) == {"bid": 30, "accepted": True}


async def test_direct_function_accepts_and_rejects_answers(ticker: Standalone) -> None:
    socket = await ticker.subscribed("/quiz/round")
    _, answer = await ticker.post("quiz/round", *texts({"bid": 3}, {"bid": 40}))
    assert [item["index"] for item in answer["successful"]] == [1]
    assert json.loads((await socket.receive())["event"]) == {"bid": 40, "accepted": True}


async def test_authorizer_admits_guests_to_bids_only(ticker: Standalone) -> None:
    host = ticker.endpoints[0].split("/")[2]
    socket = await ticker.connect({"host": host, "Authorization": "let-me-in"})
    published = await socket.publish("/bids/vase", *texts({"bid": 50}))
    assert published["type"] == "publish_success"
    assert (await socket.publish("/quiz/round", "1"))["errors"][0]["errorType"] == "UnauthorizedException"
    status, _ = await ticker.post("bids/vase", *texts({"bid": 50}), headers={"authorization": "wrong-token"})
    assert status == 401
