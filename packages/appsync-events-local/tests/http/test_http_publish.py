"""Publishing over HTTP: statuses, bodies, headers, limits, handlers, credentials and the choice of the API."""

import json
from typing import Any

import pytest
from appsync_events_local import limits
from service_harness.running import API, KEY, Running, api_properties, signed_headers

HANDLER = """
import { util } from '@aws-appsync/utils'
export function onPublish(ctx) {
  const first = ctx.events[0].payload
  if (first === 'error') { util.error('not today', 'Custom7') }
  if (first === 'untyped') { util.error('not today') }
  if (first === 'unauthorized') { util.unauthorized() }
  if (first === 'crash') { return ctx.nothing.here }
  if (first === 'nonsense') { return [{ id: 'unknown', payload: 1 }] }
  if (first === 'null') { return null }
  if (first === 'context') {
    const seen = { identity: ctx.identity, info: ctx.info, request: ctx.request }
    return ctx.events.map(e => ({ id: e.id, payload: seen }))
  }
  return ctx.events
    .filter(e => e.payload !== 'drop')
    .map(e => e.payload === 'fail' ? { id: e.id, error: 'refused' } : { id: e.id, payload: { was: e.payload } })
}
"""


def error_types(answer: dict[str, Any]) -> list[str]:
    return [error["errorType"] for error in answer["errors"]]


async def test_every_accepted_event_gets_an_identifier_and_its_index(service: Running) -> None:
    status, answer = await service.post("/open/a", "1", '{"a": 2}', '"x"')
    assert status == 200
    assert answer["failed"] == []
    assert [entry["index"] for entry in answer["successful"]] == [0, 1, 2]
    assert len({entry["identifier"] for entry in answer["successful"]}) == 3


@pytest.mark.parametrize("channel", ["open/a", "/open/a", "/open/a/", "open"])
async def test_slashes_around_a_channel_are_optional(service: Running, channel: str) -> None:
    assert (await service.post(channel, "1"))[0] == 200


@pytest.mark.parametrize(
    ("body", "status", "error_type"),
    [
        (b"", 400, "BadRequestException"),
        (b"{", 400, "BadRequestException"),
        (b"[]", 400, "BadRequestException"),
        (b"\xff", 400, "BadRequestException"),
        (b"{}", 400, "BadRequestException"),
        (b'{"channel":7,"events":["1"]}', 400, "BadRequestException"),
        (b'{"channel":"open/*","events":["1"]}', 400, "BadRequestException"),
        (b'{"channel":"open/a/b/c/d/e","events":["1"]}', 400, "BadRequestException"),
        (b'{"channel":"unknown/a","events":["1"]}', 404, "NotFoundException"),
        (b'{"channel":"open/a"}', 400, "BadRequestException"),
        (b'{"channel":"open/a","events":"1"}', 400, "BadRequestException"),
        (b'{"channel":"open/a","events":[]}', 400, "BadRequestException"),
        (b'{"channel":"open/a","events":["1","2","3","4","5","6"]}', 400, "BadRequestException"),
        (b'{"channel":"open/a","events":[{"a":1}]}', 400, "BadRequestException"),
        (b'{"channel":"open/a","events":["{"]}', 400, "BadRequestException"),
        (b'{"channel":"open/a","events":["NaN"]}', 400, "BadRequestException"),
        (b'{"channel":"open/a","events":["1e999"]}', 400, "BadRequestException"),
        (b'{"channel":"open/a","events":[""]}', 400, "BadRequestException"),
    ],
)
async def test_invalid_request_is_refused(service: Running, body: bytes, status: int, error_type: str) -> None:
    got, answer = await service.post_raw(body, {"x-api-key": service.key})
    assert (got, error_types(answer)) == (status, [error_type])


async def test_one_bad_event_refuses_the_whole_request(service: Running) -> None:
    socket = await service.connect()
    await socket.subscribe("/open/*")
    assert (await service.post("open/a", "1", "{"))[0] == 400
    await service.post("open/a", "2")
    assert (await socket.receive())["event"] == "2"


async def test_an_event_of_exactly_240_kb_passes_and_one_byte_more_fails_alone(service: Running) -> None:
    fits = json.dumps("x" * (limits.EVENT_BYTES - 2))
    status, answer = await service.post("open/a", fits, fits[:-1] + 'x"', "1")
    assert status == 200
    assert [entry["index"] for entry in answer["successful"]] == [0, 2]
    (failed,) = answer["failed"]
    assert failed.pop("identifier")
    assert failed == {
        "code": "EventTooLargeException",
        "index": 1,
        "message": "Transformed event is larger than 240KB",
    }


async def test_size_is_counted_in_utf8_bytes(service: Running) -> None:
    euro = json.dumps("€" * (limits.EVENT_BYTES // 3), ensure_ascii=False)
    _, answer = await service.post("open/a", euro)
    assert answer["failed"][0]["code"] == "EventTooLargeException"


async def test_five_events_of_the_largest_size_fit_in_a_request_and_no_more(service: Running) -> None:
    largest = json.dumps('"' * ((limits.EVENT_BYTES - 2) // 2))
    status, answer = await service.post("open/a", *[largest] * 5)
    assert (status, len(answer["successful"])) == (200, 5)
    beyond = json.dumps("x" * (limits.EVENT_BYTES + 6_000))
    assert (await service.post("open/a", *[beyond] * 5))[0] == 400


async def test_body_above_the_transport_limit_is_refused(service: Running) -> None:
    status, answer = await service.post_raw(b"x" * (limits.TRANSPORT_MESSAGE_BYTES + 1), {"x-api-key": service.key})
    assert (status, error_types(answer)) == (413, ["BadRequestException"])


async def test_events_returned_by_the_handler_are_broadcast_and_listed_in_the_answer(service: Running) -> None:
    await service.namespace("js", HANDLER)
    socket = await service.connect()
    await socket.subscribe("/js/*")
    status, answer = await service.post("js/a", '"one"', '"drop"', '"fail"', '{"n": 1}')
    assert status == 200
    assert [entry["index"] for entry in answer["successful"]] == [0, 3]
    (failed,) = answer["failed"]
    assert (failed["index"], failed["message"], failed["code"]) == (2, "refused", "HandlerError")
    frames = [await socket.receive(), await socket.receive()]
    assert [json.loads(frame["event"]) for frame in frames] == [{"was": "one"}, {"was": {"n": 1}}]


@pytest.mark.parametrize(
    ("event", "status", "error_type", "message"),
    [
        ("error", 403, "Custom7", "not today"),
        ("unauthorized", 401, "UnauthorizedException", "You are not authorized to make this call."),
        ("crash", 500, "InternalFailureException", "There was an error processing the message"),
        ("nonsense", 500, "InternalFailureException", "There was an error processing the message"),
    ],
)
async def test_publish_that_the_handler_refuses_or_fails_is_not_broadcast(
    service: Running, event: str, status: int, error_type: str, message: str
) -> None:
    await service.namespace("js", HANDLER)
    socket = await service.connect()
    await socket.subscribe("/js/*")
    got, answer = await service.post("js/a", json.dumps(event))
    assert (got, answer) == (status, {"errors": [{"errorType": error_type, "message": message}]})
    await service.post("js/a", '"after"')
    assert json.loads((await socket.receive())["event"]) == {"was": "after"}


async def test_null_from_the_handler_broadcasts_nothing(service: Running) -> None:
    await service.namespace("js", HANDLER)
    assert await service.post("js/a", '"null"') == (200, {"failed": [], "successful": []})


async def test_the_size_is_checked_after_the_handler(service: Running) -> None:
    await service.namespace("js", "export function onPublish(ctx) { return ctx.events.map(e => ({ id: e.id, "
                                  "payload: [e.payload, e.payload] })) }")  # fmt: skip
    _, answer = await service.post("js/a", json.dumps("x" * 130_000))
    assert answer["failed"][0]["code"] == "EventTooLargeException"


async def test_handler_sees_identity_channel_and_headers_but_no_cookie(service: Running) -> None:
    await service.namespace("js", HANDLER)
    socket = await service.connect()
    await socket.subscribe("/js/*")
    headers = {"authorization": service.pool.token(), "cookie": "secret=1", "X-Own": "7"}
    assert (await service.post("/js/a/b", '"context"', headers=headers))[0] == 200
    seen = json.loads((await socket.receive())["event"])
    assert seen["identity"]["sub"] == "user-1"
    assert seen["identity"]["username"] == "ada"
    assert seen["identity"]["claims"]["client_id"] == "appclient1"
    assert seen["identity"]["sourceIp"] == ["127.0.0.1"]
    assert seen["info"] == {
        "channel": {"path": "/js/a/b", "segments": ["js", "a", "b"]},
        "channelNamespace": {"name": "js"},
        "operation": "PUBLISH",
    }
    assert seen["request"]["headers"]["x-own"] == "7"
    assert "cookie" not in seen["request"]["headers"]
    assert seen["request"]["domainName"] is None


async def test_the_context_of_an_api_key_has_no_identity(service: Running) -> None:
    await service.namespace("js", HANDLER)
    socket = await service.connect()
    await socket.subscribe("/js/*")
    await service.post("/js/a", '"context"')
    assert json.loads((await socket.receive())["event"])["identity"] is None


async def test_api_key_must_be_known_and_not_expired(service: Running) -> None:
    for headers in ({"x-api-key": "da2-wrong"}, {"x-api-key": ""}, {}):
        status, answer = await service.post("open/a", "1", headers=headers)
        assert (status, error_types(answer)) == (401, ["UnauthorizedException"])
    key = await service.registered("PUT", f"apis/{API}/keys/da2-zyxwvutsrqponmlkjihgfedcba", {"properties": {}})
    service.expire_key(API, key["apiKey"])
    assert (await service.post("open/a", "1", headers={"x-api-key": key["apiKey"]}))[0] == 401
    assert (await service.post("open/a", "1"))[0] == 200
    await service.registered("DELETE", f"apis/{API}/keys/{KEY}")
    assert (await service.post("open/a", "1"))[0] == 401


async def test_a_namespace_replaces_the_modes_of_its_api(service: Running) -> None:
    await service.register(properties=api_properties(publish=("AWS_IAM",)))
    await service.namespace("keyed", PublishAuthModes=[{"AuthType": "API_KEY"}])
    assert (await service.post("open/a", "1"))[0] == 401
    assert (await service.post("keyed/a", "1"))[0] == 200
    body = b'{"channel":"keyed/a","events":["1"]}'
    assert (await service.post_raw(body, signed_headers(service.event_url, body)))[0] == 401
    body = body.replace(b"keyed", b"open")
    assert (await service.post_raw(body, signed_headers(service.event_url, body)))[0] == 200


async def test_responses_have_a_request_id_and_allow_any_origin(service: Running) -> None:
    for headers in ({"x-api-key": service.key}, {"x-api-key": "wrong"}):
        body = b'{"channel":"open/a","events":["1"]}'
        async with service.session.post(service.event_url, data=body, headers=headers) as answer:
            assert answer.headers["x-amzn-RequestId"]
            assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_cors_preflight_allows_the_headers_of_clients(service: Running) -> None:
    async with service.session.options(service.event_url) as answer:
        allowed = {name.strip() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}
        assert answer.status == 204
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert allowed >= {
        "authorization", "x-api-key", "x-amz-user-agent", "x-amz-date", "x-amz-security-token", "content-type",
    }  # fmt: skip


async def test_api_is_selected_by_path_or_host_or_by_being_the_only_one(service: Running) -> None:
    assert (await service.post("open/a", "1", path=f"/{API}/event"))[0] == 200
    assert (await service.post("open/a", "1", path="/other/event"))[0] == 404
    body = {
        "properties": api_properties(),
        "hosts": {"http": "second.test", "realtime": "second-realtime.test"},
        "region": "us-east-1",
        "accountId": "000000000000",
    }
    await service.registered("PUT", "apis/second", body)
    status, answer = await service.post("open/a", "1")
    assert (status, error_types(answer)) == (404, ["NotFoundException"])
    assert f"/{API}/event" in answer["errors"][0]["message"]
    own = {"x-api-key": service.key}
    assert (await service.post("open/a", "1", headers={**own, "Host": "events.test"}))[0] == 200
    assert (await service.post("open/a", "1", headers={**own, "Host": "second.test"}))[0] == 404
    assert (await service.post("open/a", "1", path=f"/{API}/event"))[0] == 200
