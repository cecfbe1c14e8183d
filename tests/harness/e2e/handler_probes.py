"""Probes of handlers, data sources and Lambda authorizers, on an Event API of `handler_api`."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from appsync_events import _protocol
from botocore.exceptions import WaiterError

from client.api.targets import Target
from tests.harness.e2e import handler_api
from tests.harness.e2e.environment import TestEnvironment
from tests.harness.e2e.probes import SILENCE_SECONDS, types
from tests.harness.e2e.raw_connection import Authorize, RawConnection, api_key, publish_http, token
from tests.harness.e2e.temporary_stack import delete_now, temporary_stack

_LOOP_LIMIT = 1_000
_LARGE_FRAME_BYTES = 9 * 1024 * 1024
_STATE_CALLS = 5


@dataclass(frozen=True)
class HandlerContext:
    """What a probe uses: the deployed APIs, a key, a user's token.

    Args:
        target: the environment's target with the addresses of the API.
        pattern_target: the same with the addresses of the API whose app client pattern is a part of the id.
        api_id: id of the API.
        upgrade_host: host of the WebSocket endpoint.
        key: API key.
        user_token: access token of a user of the environment.
    """

    environment: TestEnvironment
    http: aiohttp.ClientSession
    target: Target
    pattern_target: Target
    api_id: str
    upgrade_host: str
    key: str = field(repr=False)
    user_token: str = field(repr=False)

    @property
    def with_key(self) -> Authorize:
        """The API key as credentials."""
        return api_key(self.target, self.key)

    async def open(self) -> RawConnection:
        """Return an acknowledged connection."""
        connection = await RawConnection.open(self.http, self.target, self.with_key)
        assert (await connection.frame())["type"] == "connection_ack"
        return connection

    async def post(self, channel: str, payload: Any) -> tuple[int, dict[str, Any]]:
        """Publish over HTTP."""
        return await publish_http(self.http, self.target, channel, [payload], self.with_key)

    async def received(self, channel: str, payload: Any) -> Any:
        """Publish over HTTP, and return what a subscriber of the channel receives, with the answer's first item."""
        connection = await self.open()
        response = await connection.subscribe(channel, self.with_key)
        assert response["type"] == "subscribe_success", response
        status, body = await self.post(channel, payload)
        assert status == 200, body
        frame = await connection.frame()
        await connection.close()
        return json.loads(frame["event"])

    async def subscribe_as(self, text: str) -> dict[str, Any]:
        """Subscribe with the token of a Lambda authorizer and return the response."""
        connection = await self.open()
        response = await connection.subscribe("/authorized/a", token(self.target, text))
        await connection.close()
        return response


Observe = Callable[[HandlerContext], Awaitable[str]]


@dataclass(frozen=True)
class HandlerProbe:
    """One point: what the local service does, and how to observe what a service does.

    Args:
        id: the assumption.
        expected: what the local service does.
        observe: returns what a service does.
        slow: whether it waits long, so that others are observed meanwhile.
    """

    id: str
    expected: str
    observe: Observe
    slow: bool = False


async def identifier(context: HandlerContext) -> str:
    connection = await context.open()
    assert (await connection.subscribe("/js/a", context.with_key))["type"] == "subscribe_success"
    _, body = await context.post("/js/a", {"kind": "identifier"})
    seen = json.loads((await connection.frame())["event"])
    await connection.close()
    return "the same" if body["successful"][0]["identifier"] == seen else "another"


async def handler_state(context: HandlerContext) -> str:
    counts = [await context.received("/js/a", {"kind": "state"}) for _ in range(_STATE_CALLS)]
    return "starts again" if counts == [1] * _STATE_CALLS else f"survives: {counts}"


async def request_headers(context: HandlerContext) -> str:
    header = f"x-verify-{uuid.uuid4().hex[:8]}"
    socket = await context.http.ws_connect(
        context.target.events_realtime_url,
        protocols=_protocol.subprotocols(context.with_key("{}")),
        headers={header: "1", "cookie": "a=1"},
    )
    connection = RawConnection(socket)
    await connection.send({"type": "connection_init"})
    assert (await connection.frame())["type"] == "connection_ack"
    assert (await connection.subscribe("/js/h", context.with_key))["type"] == "subscribe_success"
    frame = {"type": "publish", "id": "p", "channel": "/js/h", "events": ['{"kind":"headers"}']}
    await connection.send({**frame, "authorization": context.with_key("")})
    frames = [await connection.frame() for _ in range(2)]  # the event and the answer, in any order
    await connection.close()
    (names,) = (json.loads(each["event"]) for each in frames if each["type"] == "data")
    folded = {name.lower() for name in names}
    credentials = sorted(folded & {"cookie", "authorization", "x-api-key", "sec-websocket-protocol"})
    return f"upgrade {'yes' if header in folded else 'no'}, credentials {', '.join(credentials) or 'none'}"


async def loop_limit(context: HandlerContext) -> str:
    status, _ = await context.post("/js/l", {"kind": "loop", "items": [1] * _LOOP_LIMIT})
    beyond, _ = await context.post("/js/l", {"kind": "loop", "items": [1] * (_LOOP_LIMIT + 1)})
    return f"{_LOOP_LIMIT}: {status}, {_LOOP_LIMIT + 1}: {beyond}"


async def append_error(context: HandlerContext) -> str:
    status, body = await context.post("/js/e", {"kind": "append"})
    return f"{status}, {len(body.get('successful', []))} successful, errors {types(body)}"


async def java_regex(context: HandlerContext) -> str:
    return json.dumps(await context.received("/js/r", {"kind": "regex"}))


async def unlisted_methods(context: HandlerContext) -> str:
    resource = handler_api.namespace("unlisted", api_id=context.api_id, CodeHandlers=handler_api.UNLISTED)
    try:
        async with temporary_stack(context.environment, "events-unlisted", {"Resources": {"Namespace": resource}}):
            return "accepted"
    except WaiterError:
        return "refused"


async def deleted_namespace(context: HandlerContext) -> str:
    resource = handler_api.namespace("deleted", api_id=context.api_id)
    async with temporary_stack(context.environment, "events-deleted", {"Resources": {"Namespace": resource}}) as (
        name,
        _,
    ):
        connection = await context.open()
        assert (await connection.subscribe("/deleted/a", context.with_key))["type"] == "subscribe_success"
        await delete_now(context.environment, name)
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            frame = str((await connection.frame())["type"])
    except TimeoutError:
        frame = "no frame"
    await connection.close()
    return frame


async def large_frame(context: HandlerContext) -> str:
    connection = await context.open()
    sending = asyncio.ensure_future(connection.socket.send_str("x" * _LARGE_FRAME_BYTES))
    frame = await connection.frame()
    await asyncio.gather(sending, return_exceptions=True)  # the service may close before it has read everything
    await connection.close()
    return str(frame["type"])  # the close code is lost if the service closes before it has read everything


async def host(context: HandlerContext) -> str:
    def with_upgrade_host(body: str) -> dict[str, str]:
        return {"host": context.upgrade_host, "x-api-key": context.key}

    connection = await RawConnection.open(context.http, context.target, with_upgrade_host)
    frame = await connection.frame()
    await connection.close()
    return str(frame["type"])


async def app_client_pattern(context: HandlerContext) -> str:
    target = context.pattern_target
    connection = await RawConnection.open(context.http, target, token(target, context.user_token))
    frame = await connection.frame()
    await connection.close()
    return str(frame["type"])


def _http_answer(status: int, body: dict[str, Any]) -> str:
    return f"{status} {types(body)}"


async def direct_error(context: HandlerContext) -> str:
    return _http_answer(*await context.post("/direct/error", 1))


async def direct_exception(context: HandlerContext) -> str:
    return _http_answer(*await context.post("/direct/raise", 1))


async def direct_null(context: HandlerContext) -> str:
    status, body = await context.post("/direct/null", 1)
    return f"{status}, {len(body.get('successful', []))} successful, {len(body.get('failed', []))} failed"


async def direct_subscribe_error(context: HandlerContext) -> str:
    connection = await context.open()
    response = await connection.subscribe("/direct/error", context.with_key)
    await connection.close()
    return f"{response['type']} {', '.join(str(each.get('message')) for each in response.get('errors', []))}"


async def direct_and_code(context: HandlerContext) -> str:
    resource = handler_api.namespace(
        "both",
        api_id=context.api_id,
        CodeHandlers=handler_api.REPLACED,
        HandlerConfigs={"OnPublish": handler_api.direct()},
    )
    try:
        async with temporary_stack(context.environment, "events-both", {"Resources": {"Namespace": resource}}):
            return "code" if await context.received("/both/a", "function") == "code" else "function"
    except WaiterError:
        return "refused when it is created"


async def lambda_error(context: HandlerContext) -> str:
    return str(await context.received("/invoking/a", {"fail": True}))


async def data_source_time(context: HandlerContext) -> str:
    status, body = await context.post("/invoking/slow", {"wait": handler_api.DATA_SOURCE_SECONDS})
    return f"{status}, {len(body.get('successful', []))} successful, errors {types(body)}"


async def condition_already_met(context: HandlerContext) -> str:
    item = {"id": uuid.uuid4().hex, "text": "a"}
    first = await context.received("/storing/a", item)
    return f"{first}, then {await context.received('/storing/a', item)}"


async def data_source_failed(context: HandlerContext) -> str:
    item = {"id": uuid.uuid4().hex, "text": "a"}
    await context.received("/storing/a", item)
    return str(await context.received("/storing/a", {**item, "text": "b"}))


def _reported(response: dict[str, Any]) -> dict[str, Any]:
    """Return what the handler of the namespace `authorized` reports by refusing the subscription."""
    reported: dict[str, Any] = json.loads(response["errors"][0]["message"])
    return reported


async def authorizer_pattern(context: HandlerContext) -> str:
    response = await context.subscribe_as("good1 and more")
    return "refused" if "Unauthorized" in types(response) else "accepted"


async def authorizer_ttl(context: HandlerContext) -> str:
    values = {_reported(await context.subscribe_as("good2"))["context"]["random"] for _ in range(2)}
    return "not cached" if len(values) == 2 else "cached"


async def authorizer_context(context: HandlerContext) -> str:
    number = await context.subscribe_as("number1")
    without = await context.subscribe_as("without1")
    words = ["refused" if "Unauthorized" in types(each) else "accepted" for each in (number, without)]
    return f"a number {words[0]}, none {words[1]}"


async def authorizer_headers(context: HandlerContext) -> str:
    reported = _reported(await context.subscribe_as("good3"))
    same = reported["context"]["headers"] == ",".join(sorted(reported["headers"]))
    return "the same" if same else "others"


HANDLER_PROBES: tuple[HandlerProbe, ...] = (
    HandlerProbe("identifier", "the same", identifier),
    HandlerProbe("handler-state", "starts again", handler_state),
    HandlerProbe("request-headers", "upgrade yes, credentials none", request_headers),
    HandlerProbe("loop-limit", "1000: 200, 1001: 500", loop_limit),
    HandlerProbe("append-error", "200, 1 successful, errors none", append_error),
    HandlerProbe("java-regex", '[false, "-.c", "a-c", 2]', java_regex),
    HandlerProbe("unlisted-methods", "refused", unlisted_methods),
    HandlerProbe("deleted-namespace", "no frame", deleted_namespace),
    HandlerProbe("large-frame", "closed", large_frame),
    HandlerProbe("host", "connection_ack", host),
    HandlerProbe("app-client-pattern", "connection_error", app_client_pattern),
    HandlerProbe("direct-error", "500 InternalFailureException", direct_error),
    HandlerProbe("direct-exception", "500 InternalFailureException", direct_exception),
    HandlerProbe("direct-null", "200, 0 successful, 0 failed", direct_null),
    HandlerProbe("direct-subscribe-error", "subscribe_error not today", direct_subscribe_error),
    HandlerProbe("direct-and-code", "function", direct_and_code),
    HandlerProbe("lambda-error", "Lambda:Unhandled", lambda_error),
    HandlerProbe("data-source-time", "200, 1 successful, errors none", data_source_time, slow=True),
    HandlerProbe("condition-already-met", "succeeded, then succeeded", condition_already_met),
    HandlerProbe("data-source-failed", "DynamoDB:ConditionalCheckFailedException", data_source_failed),
    HandlerProbe("authorizer-pattern", "refused", authorizer_pattern),
    HandlerProbe("authorizer-ttl", "not cached", authorizer_ttl),
    HandlerProbe("authorizer-context", "a number refused, none accepted", authorizer_context),
    HandlerProbe("authorizer-headers", "the same", authorizer_headers),
)
