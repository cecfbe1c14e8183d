"""Probes of behaviour that AWS does not document: each returns what a running Event API does, as text.

Their ids are those of `appsync_events_local.assumptions`, which holds the local service's behaviour with its reasons.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import aiohttp
from appsync_events import _protocol
from appsync_events_local import assumptions, limits
from botocore import auth as signing

from client.api.targets import Target
from tests.harness.e2e.environment import TestEnvironment
from tests.harness.e2e.raw_connection import Authorize, RawConnection, iam, post, publish_http, token

SILENCE_SECONDS = 2.0
"""How long to wait for a frame that may not arrive."""
_EARLY_ATTEMPTS = 20


@dataclass(frozen=True)
class ProbeContext:
    """What a probe uses: a signed-in user with tokens, a group of that user with its channel, an HTTP session."""

    environment: TestEnvironment
    http: aiohttp.ClientSession
    user_id: str
    group: str
    group_channel: str
    access: str = field(repr=False)
    id_token: str = field(repr=False)

    @property
    def target(self) -> Target:
        """The target of the environment."""
        return self.environment.target

    @property
    def user_token(self) -> Authorize:
        """The user's access token as credentials."""
        return token(self.target, self.access)

    @property
    def signature(self) -> Authorize:
        """The operator's IAM signature as credentials."""
        return iam(self.environment)

    @property
    def channel(self) -> str:
        """The user's channel."""
        return f"/chats/{self.user_id}"

    async def open(self, authorize: Authorize | None = None) -> RawConnection:
        """Return an acknowledged connection."""
        connection = await RawConnection.open(self.http, self.target, authorize or self.user_token)
        assert (await connection.frame())["type"] == "connection_ack"
        return connection


Observe = Callable[[ProbeContext], Awaitable[str]]


@dataclass(frozen=True)
class Probe:
    """One point: what the local service does, and how to observe what a service does."""

    id: str
    expected: str
    observe: Observe

    @property
    def assumption(self) -> assumptions.Assumption[Any]:
        """The assumption that the probe is about."""
        return next(each for each in assumptions.all_assumptions() if each.id == self.id)


def types(response: dict[str, Any]) -> str:
    """Return the error types of a frame or body."""
    return ", ".join(str(error.get("errorType")) for error in response.get("errors") or ()) or "none"


def http_response(status: int, body: dict[str, Any]) -> str:
    return f"{status} {types(body)}"


async def bad_channel(context: ProbeContext) -> str:
    return http_response(*await publish_http(context.http, context.target, "/chats/a/b/c/d/e", [1], context.signature))


async def unknown_namespace(context: ProbeContext) -> str:
    return http_response(
        *await publish_http(context.http, context.target, "/nosuchnamespace/a", [1], context.signature)
    )


async def mode_not_allowed(context: ProbeContext) -> str:
    return http_response(*await publish_http(context.http, context.target, context.channel, [{}], context.user_token))


async def handler_error(context: ProbeContext) -> str:
    channel = context.group_channel
    status, _ = await publish_http(context.http, context.target, channel, [{"type": "NONSENSE"}], context.user_token)
    return str(status)


async def failed_code(context: ProbeContext) -> str:
    _, body = await publish_http(
        context.http, context.target, context.channel, [{"type": "NONSENSE"}], context.signature
    )
    return str(body["failed"][0].get("code"))


async def refused_connect_close(context: ProbeContext) -> str:
    connection = await RawConnection.open(context.http, context.target, token(context.target, "garbage"))
    assert (await connection.frame())["type"] == "connection_error"
    return str((await connection.frame()).get("code"))


async def missing_subprotocol(context: ProbeContext) -> str:
    try:
        socket = await context.http.ws_connect(context.target.events_realtime_url)
    except aiohttp.WSServerHandshakeError as error:
        return str(error.status)
    await socket.close()
    return "upgraded"


async def publish_rate(context: ProbeContext) -> str:
    connection = await context.open()
    event = _protocol.compact({"type": "NONSENSE"})
    frames = []
    for number in range(2 * limits.PUBLISHES_PER_SECOND_PER_CONNECTION):
        authorization = context.signature(_protocol.compact({"channel": context.channel, "events": [event]}))
        frames.append(
            {
                "type": "publish",
                "id": f"p{number}",
                "channel": context.channel,
                "events": [event],
                "authorization": authorization,
            }
        )
    for frame in frames:
        await connection.send(frame)
    responses = [await connection.frame() for _ in frames]
    await connection.close()
    refused = [response for response in responses if response["type"] != "publish_success"]
    return types(refused[0]) if refused else "never refused"


async def sigv4_body(context: ProbeContext) -> str:
    accepted = []
    connection = await context.open()
    for name, escaped in (("as it is", False), ("escaped", True)):
        event = json.dumps({"type": "NONSENSE", "text": "ü"}, ensure_ascii=False, separators=(",", ":"))
        body = json.dumps({"channel": context.channel, "events": [event]}, ensure_ascii=escaped, separators=(",", ":"))
        id = uuid.uuid4().hex
        await connection.send(
            {
                "type": "publish",
                "id": id,
                "channel": context.channel,
                "events": [event],
                "authorization": context.signature(body),
            }
        )
        if (await connection.response(id))["type"] == "publish_success":
            accepted.append(name)
    await connection.close()
    return ", ".join(accepted) or "neither"


async def publish_wildcard(context: ProbeContext) -> str:
    status, body = await publish_http(context.http, context.target, "/chats/*", [1], context.signature)
    return http_response(status, body)


async def bare_wildcard(context: ProbeContext) -> str:
    connection = await context.open()
    response = await connection.subscribe("/*", context.user_token)
    await connection.close()
    return f"{response['type']} {types(response)}"


async def bad_event(context: ProbeContext) -> str:
    body = _protocol.compact({"channel": context.channel, "events": ["{"]})
    return http_response(*await post(context.http, context.target, body, context.signature))


async def no_init(context: ProbeContext) -> str:
    names = _protocol.subprotocols(context.user_token("{}"))
    connection = RawConnection(await context.http.ws_connect(context.target.events_realtime_url, protocols=names))
    response = await connection.subscribe(context.channel, context.user_token)
    await connection.close()
    return str(response["type"])


async def second_init(context: ProbeContext) -> str:
    connection = await context.open()
    await connection.send({"type": "connection_init"})
    response = await next_frame(connection)
    await connection.close()
    return response


async def next_frame(connection: RawConnection) -> str:
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            return str((await connection.frame())["type"])
    except TimeoutError:
        return "no response"


async def early_unsubscribe(context: ProbeContext) -> str:
    for _ in range(_EARLY_ATTEMPTS):
        observed = await _unsubscribe_at_once(context)
        if "unsubscribe_success" not in observed:
            return observed
    return f"{observed} (never early)"


async def _unsubscribe_at_once(context: ProbeContext) -> str:
    """Return the responses to a subscription that is ended at once; a busy service may process the end late."""
    connection = await context.open()
    with connection.in_one_packet():
        await connection.send(
            {"type": "subscribe", "id": "early", "channel": context.channel, "authorization": context.user_token("")}
        )
        await connection.send({"type": "unsubscribe", "id": "early"})
    observed = [(await connection.response("early"))["type"]]
    if observed == ["unsubscribe_error"]:
        observed.append((await connection.response("early"))["type"])
    await connection.send({"type": "unsubscribe", "id": "marker"})
    while (frame := await connection.frame()).get("id") != "marker":
        observed.append(frame["type"])
    await connection.close()
    return ", ".join(sorted(observed))


async def bad_operation_id(context: ProbeContext) -> str:
    connection = await context.open()
    frame = {
        "type": "subscribe",
        "id": "not an id!",
        "channel": context.channel,
        "authorization": context.user_token(""),
    }
    await connection.send(frame)
    response = await connection.frame()
    await connection.close()
    return f"{response['type']} {types(response)}"


async def upgrade_headers(context: ProbeContext) -> str:
    socket = await context.http.ws_connect(
        context.target.events_realtime_url,
        protocols=(_protocol.SUBPROTOCOL,),
        headers={"Authorization": context.access},
    )
    connection = RawConnection(socket)
    await connection.send({"type": "connection_init"})
    response = await connection.frame()
    await socket.close()
    return str(response["type"])


async def token_use(context: ProbeContext) -> str:
    accepted = []
    for name, text in (("access", context.access), ("id", context.id_token)):
        connection = await RawConnection.open(context.http, context.target, token(context.target, text))
        if (await connection.frame())["type"] == "connection_ack":
            accepted.append(name)
        await connection.close()
    return ", ".join(accepted) or "neither"


async def expiring_signature(context: ProbeContext) -> str:
    accepted = []
    for minutes in (4, 6):
        past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=minutes)
        with mock.patch.object(signing, "get_current_datetime", lambda *a, past=past, **k: past.replace(tzinfo=None)):
            status, _ = await publish_http(
                context.http, context.target, context.channel, [{"type": "NONSENSE"}], context.signature
            )
        if status == 200:
            accepted.append(f"{minutes} minutes")
    return ", ".join(accepted) or "neither"


async def several_credentials(context: ProbeContext) -> str:
    def both(body: str) -> dict[str, str]:
        return context.signature(body) | {"x-api-key": "da2-00000000000000000000000000"}

    status, _ = await publish_http(context.http, context.target, context.channel, [{"type": "NONSENSE"}], both)
    return str(status)


async def order(context: ProbeContext) -> str:
    connection = await context.open()
    assert (await connection.subscribe(context.channel, context.user_token))["type"] == "subscribe_success"
    for number in range(4):
        batch = [_typing(context, 5 * number + n) for n in range(5)]
        status, _ = await publish_http(context.http, context.target, context.channel, batch, context.signature)
        assert status == 200
    observed = [int(json.loads((await connection.frame())["event"])["eventId"]) for _ in range(20)]
    await connection.close()
    return "as published" if observed == sorted(observed) else f"reordered: {observed}"


def _typing(context: ProbeContext, number: int) -> dict[str, Any]:
    data = {"conversationId": context.group, "userId": context.user_id}
    return {"eventId": str(number), "type": "USER_TYPING", "data": data, "timestamp": "2026-01-01T00:00:00.000Z"}


PROBES: tuple[Probe, ...] = (
    Probe("bad-channel-status", f"{assumptions.BAD_CHANNEL_STATUS.value} BadRequestException", bad_channel),
    Probe("unknown-namespace", f"{assumptions.UNKNOWN_NAMESPACE_STATUS.value} NotFoundException", unknown_namespace),
    Probe("mode-not-allowed", f"{assumptions.MODE_NOT_ALLOWED_STATUS.value} UnauthorizedException", mode_not_allowed),
    Probe("handler-error-status", str(assumptions.HANDLER_ERROR_STATUS.value), handler_error),
    Probe("failed-code", assumptions.HANDLER_ITEM_ERROR_CODE.value, failed_code),
    Probe("refused-connect-close", str(assumptions.REFUSED_CONNECT_CLOSE_CODE.value), refused_connect_close),
    Probe("missing-subprotocol", str(assumptions.MISSING_SUBPROTOCOL_STATUS.value), missing_subprotocol),
    Probe("publish-rate", "LimitExceededException", publish_rate),
    Probe("sigv4-body", "as it is, escaped", sigv4_body),
    Probe("publish-wildcard", "400 BadRequestException", publish_wildcard),
    Probe("bare-wildcard", "subscribe_error BadRequestException", bare_wildcard),
    Probe("bad-event", "400 BadRequestException", bad_event),
    Probe("no-init", "subscribe_success", no_init),
    Probe("second-init", "connection_ack", second_init),
    Probe("early-unsubscribe", "subscribe_success", early_unsubscribe),
    Probe("bad-operation-id", "subscribe_error BadRequestException", bad_operation_id),
    Probe("upgrade-headers", "connection_ack", upgrade_headers),
    Probe("token-use", "access, id", token_use),
    Probe("expiring-signature", "4 minutes", expiring_signature),
    Probe("several-credentials", "200", several_credentials),
    Probe("order", "as published", order),
)
