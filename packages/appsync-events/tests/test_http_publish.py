"""A publish over HTTP is repeated only where nothing can have been published, and says what became of every event."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from appsync_events import (
    ApiKey,
    Backoff,
    ConnectionLostError,
    EventsClient,
    ProtocolError,
    PublishRefusedError,
    UnreachableError,
    UserPoolToken,
)

from tests.harness.client.servers import ApiServer, Reply

QUICK = Backoff(base=0.01, cap=0.02)
TOO_MANY = Reply(429, {"errors": [{"errorType": "TooManyRequestsException", "message": "slow down"}]})
UNAUTHORIZED = Reply(401, {"errors": [{"errorType": "UnauthorizedException", "message": "no"}]})


def published(count: int) -> Reply:
    return Reply(200, {"failed": [], "successful": [{"identifier": f"id-{n}", "index": n} for n in range(count)]})


@pytest.fixture
async def api() -> AsyncIterator[ApiServer]:
    server = ApiServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(api: ApiServer) -> AsyncIterator[EventsClient]:
    async with EventsClient(f"{api.url}/event", ApiKey("k"), backoff=QUICK) as client:
        yield client


def bodies(api: ApiServer) -> list[Any]:
    return [json.loads(asked.body) for asked in api.asked]


async def test_the_request_is_the_documented_one(api: ApiServer, client: EventsClient) -> None:
    api.script = [published(2)]
    result = await client.publish_http("/a/b", [{"t": "ü"}, 2])
    [asked] = api.asked
    assert (asked.method, asked.path) == ("POST", "/event")
    assert (asked.headers["content-type"], asked.headers["x-api-key"]) == ("application/json", "k")
    assert asked.body.decode() == '{"channel":"/a/b","events":["{\\"t\\":\\"ü\\"}","2"]}'
    assert [event.identifier for event in result.successful] == ["id-0", "id-1"]


async def test_a_long_list_goes_in_fives_and_its_indices_go_on(api: ApiServer, client: EventsClient) -> None:
    last = Reply(200, {"successful": [], "failed": [{"identifier": "x", "index": 1, "code": "C", "message": "m"}]})
    api.script = [published(5), published(5), last]
    result = await client.publish_http("/a", list(range(12)))
    assert [len(body["events"]) for body in bodies(api)] == [5, 5, 2]
    assert [event.index for event in result.successful] == list(range(10))
    assert [(event.index, event.code) for event in result.failed] == [(11, "C")]
    assert (result.count, result.dropped) == (12, (10,))


async def test_an_empty_list_is_published_without_a_request(api: ApiServer, client: EventsClient) -> None:
    assert (await client.publish_http("/a", [])).count == 0
    assert api.asked == []


async def test_a_throttled_publish_is_tried_again(api: ApiServer, client: EventsClient) -> None:
    api.script = [TOO_MANY, TOO_MANY, published(1)]
    assert len((await client.publish_http("/a", [1])).successful) == 1
    api.script = [TOO_MANY]
    with pytest.raises(PublishRefusedError, match="slow down") as refused:
        await client.publish_http("/a", [1])
    assert refused.value.status == 429
    assert len(api.asked) == 3 + 4


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
async def test_any_other_refusal_is_not_repeated(api: ApiServer, client: EventsClient, status: int) -> None:
    api.script = [Reply(status, {"errors": [{"errorType": "T", "message": "m"}]})]
    with pytest.raises(PublishRefusedError, match="T: m") as refused:
        await client.publish_http("/a", [1])
    assert (refused.value.status, len(api.asked)) == (status, 1)


async def test_a_refusal_without_json_shows_what_came(api: ApiServer, client: EventsClient) -> None:
    api.script = [Reply(502, "<html>bad gateway</html>")]
    with pytest.raises(PublishRefusedError, match="bad gateway"):
        await client.publish_http("/a", [1])


async def test_a_refusal_in_the_middle_says_what_is_out_already(api: ApiServer, client: EventsClient) -> None:
    api.script = [published(5), Reply(400, {"errors": [{"errorType": "BadRequestException", "message": "m"}]})]
    with pytest.raises(PublishRefusedError) as refused:
        await client.publish_http("/a", list(range(7)))
    assert refused.value.earlier is not None
    assert len(refused.value.earlier.successful) == 5


async def test_an_answer_that_does_not_come_is_not_asked_for_again(api: ApiServer, client: EventsClient) -> None:
    api.script = [Reply(cut=True)]
    with pytest.raises(ConnectionLostError):
        await client.publish_http("/a", [1])
    assert len(api.asked) == 1


@pytest.mark.parametrize("body", ["no json", "[]", {"successful": [1]}])
async def test_an_answer_that_is_none_is_a_protocol_error(api: ApiServer, client: EventsClient, body: Any) -> None:
    api.script = [Reply(200, body)]
    with pytest.raises(ProtocolError):
        await client.publish_http("/a", [1])


async def test_a_token_is_renewed_once(api: ApiServer) -> None:
    auth = UserPoolToken(lambda refused: "new" if refused else "old")
    async with EventsClient(f"{api.url}/event", auth, backoff=QUICK) as client:
        api.script = [UNAUTHORIZED, published(1)]
        await client.publish_http("/a", [1])
        assert [asked.headers["authorization"] for asked in api.asked] == ["old", "new"]
        api.script = [UNAUTHORIZED]
        with pytest.raises(PublishRefusedError):
            await client.publish_http("/a", [1])
        assert len(api.asked) == 4


async def test_an_api_that_is_not_there_was_certainly_not_published_to() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/event"
    async with EventsClient(address, ApiKey("k"), backoff=QUICK) as client:
        with pytest.raises(UnreachableError):
            await client.publish_http("/a", [1])


@pytest.mark.parametrize("event", [{1, 2}, float("nan"), "\ud800"])
async def test_what_is_no_json_is_the_callers_mistake(api: ApiServer, client: EventsClient, event: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        await client.publish_http("/a", [event])
    assert api.asked == []
