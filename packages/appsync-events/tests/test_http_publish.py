"""HTTP publishes: retries only when nothing can have been published, and a result for every event."""

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
from events_harness.server import EventServer, HttpReply

QUICK = Backoff(base=0.01, cap=0.02)
TOO_MANY = HttpReply(429, {"errors": [{"errorType": "TooManyRequestsException", "message": "slow down"}]})
UNAUTHORIZED = HttpReply(401, {"errors": [{"errorType": "UnauthorizedException", "message": "no"}]})


def published(count: int) -> HttpReply:
    return HttpReply(200, {"failed": [], "successful": [{"identifier": f"id-{n}", "index": n} for n in range(count)]})


@pytest.fixture
async def client(events: EventServer) -> AsyncIterator[EventsClient]:
    async with EventsClient(events.endpoint, ApiKey("k"), backoff=QUICK) as client:
        yield client


def bodies(events: EventServer) -> list[Any]:
    return [json.loads(request.body) for request in events.http_requests]


async def test_request_has_the_documented_headers_and_body(events: EventServer, client: EventsClient) -> None:
    events.http_script = [published(2)]
    result = await client.publish_http("/a/b", [{"t": "ü"}, 2])
    [request] = events.http_requests
    assert (request.headers["content-type"], request.headers["x-api-key"]) == ("application/json", "k")
    assert request.body.decode() == '{"channel":"/a/b","events":["{\\"t\\":\\"ü\\"}","2"]}'
    assert [event.identifier for event in result.successful] == ["id-0", "id-1"]


async def test_long_list_takes_requests_of_five_events_with_continued_indices(
    events: EventServer, client: EventsClient
) -> None:
    last = HttpReply(200, {"successful": [], "failed": [{"identifier": "x", "index": 1, "code": "C", "message": "m"}]})
    events.http_script = [published(5), published(5), last]
    result = await client.publish_http("/a", list(range(12)))
    assert [len(body["events"]) for body in bodies(events)] == [5, 5, 2]
    assert [event.index for event in result.successful] == list(range(10))
    assert [(event.index, event.code) for event in result.failed] == [(11, "C")]
    assert (result.count, result.dropped) == (12, (10,))


async def test_empty_list_sends_no_request(events: EventServer, client: EventsClient) -> None:
    assert (await client.publish_http("/a", [])).count == 0
    assert events.http_requests == []


async def test_throttled_publish_is_retried(events: EventServer, client: EventsClient) -> None:
    events.http_script = [TOO_MANY, TOO_MANY, published(1)]
    assert len((await client.publish_http("/a", [1])).successful) == 1
    events.http_script = [TOO_MANY]
    with pytest.raises(PublishRefusedError, match="slow down") as refused:
        await client.publish_http("/a", [1])
    assert refused.value.status == 429
    assert len(events.http_requests) == 3 + 4


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
async def test_other_refusals_are_not_retried(events: EventServer, client: EventsClient, status: int) -> None:
    events.http_script = [HttpReply(status, {"errors": [{"errorType": "T", "message": "m"}]})]
    with pytest.raises(PublishRefusedError, match="T: m") as refused:
        await client.publish_http("/a", [1])
    assert (refused.value.status, len(events.http_requests)) == (status, 1)


async def test_refusal_without_json_shows_the_response_text(events: EventServer, client: EventsClient) -> None:
    events.http_script = [HttpReply(502, "<html>bad gateway</html>")]
    with pytest.raises(PublishRefusedError, match="bad gateway"):
        await client.publish_http("/a", [1])


async def test_refusal_of_a_later_request_has_the_result_of_the_earlier_ones(
    events: EventServer, client: EventsClient
) -> None:
    events.http_script = [
        published(5),
        HttpReply(400, {"errors": [{"errorType": "BadRequestException", "message": "m"}]}),
    ]
    with pytest.raises(PublishRefusedError) as refused:
        await client.publish_http("/a", list(range(7)))
    assert refused.value.earlier is not None
    assert len(refused.value.earlier.successful) == 5


async def test_publish_without_response_is_not_retried(events: EventServer, client: EventsClient) -> None:
    events.http_script = [HttpReply(cut=True)]
    with pytest.raises(ConnectionLostError):
        await client.publish_http("/a", [1])
    assert len(events.http_requests) == 1


@pytest.mark.parametrize("body", ["no json", "[]", {"successful": [1]}])
async def test_invalid_response_is_a_protocol_error(events: EventServer, client: EventsClient, body: Any) -> None:
    events.http_script = [HttpReply(200, body)]
    with pytest.raises(ProtocolError):
        await client.publish_http("/a", [1])


async def test_rejected_token_is_renewed_once(events: EventServer) -> None:
    auth = UserPoolToken(lambda refused: "new" if refused else "old")
    async with EventsClient(events.endpoint, auth, backoff=QUICK) as client:
        events.http_script = [UNAUTHORIZED, published(1)]
        await client.publish_http("/a", [1])
        assert [request.headers["authorization"] for request in events.http_requests] == ["old", "new"]
        events.http_script = [UNAUTHORIZED]
        with pytest.raises(PublishRefusedError):
            await client.publish_http("/a", [1])
        assert len(events.http_requests) == 4


async def test_unreachable_api_raises_unreachable_error() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/event"
    async with EventsClient(address, ApiKey("k"), backoff=QUICK) as client:
        with pytest.raises(UnreachableError):
            await client.publish_http("/a", [1])


@pytest.mark.parametrize("event", [{1, 2}, float("nan"), "\ud800"])
async def test_event_that_is_not_json_raises_before_any_request(
    events: EventServer, client: EventsClient, event: Any
) -> None:
    with pytest.raises((TypeError, ValueError)):
        await client.publish_http("/a", [event])
    assert events.http_requests == []
