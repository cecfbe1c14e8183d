"""Questions that only a running Event API can answer: each probe asks one and returns what it saw, as text.

Their ids are those of `appsync_events_local.assumptions`, which holds the local service's answers with their reasons.
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

from tests.e2e.place import Place
from tests.e2e.wire import Authorize, Wire, iam, post, publish_http, token

SILENCE_SECONDS = 2.0
"""How long a frame that may not come is waited for."""
_EARLY_TRIES = 20


@dataclass(frozen=True)
class Context:
    """What a probe works with: my id and tokens, a group of mine, a connection pool."""

    place: Place
    http: aiohttp.ClientSession
    me: str
    group: str
    access: str = field(repr=False)
    id_token: str = field(repr=False)

    @property
    def mine(self) -> Authorize:
        return token(self.place.target, self.access)

    @property
    def signed(self) -> Authorize:
        return iam(self.place)

    @property
    def channel(self) -> str:
        return f"/chats/{self.me}"

    async def open(self, authorize: Authorize | None = None) -> Wire:
        """Open a connection; its acknowledgement has come."""
        wire = await Wire.open(self.http, self.place.target, authorize or self.mine)
        assert (await wire.frame())["type"] == "connection_ack"
        return wire


Probe = Callable[[Context], Awaitable[str]]


@dataclass(frozen=True)
class Question:
    """One point: what the local service does, and how to see what a service does."""

    id: str
    expected: str
    probe: Probe

    @property
    def choice(self) -> assumptions.Assumption[Any]:
        return next(choice for choice in assumptions.all_assumptions() if choice.id == self.id)


def types(answer: dict[str, Any]) -> str:
    """Return the error types of a frame or body."""
    return ", ".join(str(error.get("errorType")) for error in answer.get("errors") or ()) or "none"


def http_answer(status: int, body: dict[str, Any]) -> str:
    return f"{status} {types(body)}"


async def bad_channel(at: Context) -> str:
    return http_answer(*await publish_http(at.http, at.place.target, "/chats/a/b/c/d/e", [1], at.signed))


async def unknown_namespace(at: Context) -> str:
    return http_answer(*await publish_http(at.http, at.place.target, "/nosuchnamespace/a", [1], at.signed))


async def mode_not_allowed(at: Context) -> str:
    return http_answer(*await publish_http(at.http, at.place.target, at.channel, [{}], at.mine))


async def handler_error(at: Context) -> str:
    channel = f"/conversations/{at.group}"
    status, _ = await publish_http(at.http, at.place.target, channel, [{"type": "NONSENSE"}], at.mine)
    return str(status)


async def failed_code(at: Context) -> str:
    _, body = await publish_http(at.http, at.place.target, at.channel, [{"type": "NONSENSE"}], at.signed)
    return str(body["failed"][0].get("code"))


async def refused_connect_close(at: Context) -> str:
    wire = await Wire.open(at.http, at.place.target, token(at.place.target, "garbage"))
    assert (await wire.frame())["type"] == "connection_error"
    return str((await wire.frame()).get("code"))


async def missing_subprotocol(at: Context) -> str:
    try:
        socket = await at.http.ws_connect(at.place.target.events_realtime_url)
    except aiohttp.WSServerHandshakeError as error:
        return str(error.status)
    await socket.close()
    return "upgraded"


async def publish_rate(at: Context) -> str:
    wire = await at.open()
    event = _protocol.compact({"type": "NONSENSE"})
    frames = []
    for number in range(2 * limits.PUBLISHES_PER_SECOND_PER_CONNECTION):
        authorization = at.signed(_protocol.compact({"channel": at.channel, "events": [event]}))
        frames.append(
            {
                "type": "publish",
                "id": f"p{number}",
                "channel": at.channel,
                "events": [event],
                "authorization": authorization,
            }
        )
    for frame in frames:
        await wire.send(frame)
    answers = [await wire.frame() for _ in frames]
    await wire.socket.close()
    refused = [answer for answer in answers if answer["type"] != "publish_success"]
    return types(refused[0]) if refused else "never refused"


async def sigv4_body(at: Context) -> str:
    accepted = []
    wire = await at.open()
    for name, escaped in (("as it is", False), ("escaped", True)):
        event = json.dumps({"type": "NONSENSE", "text": "ü"}, ensure_ascii=False, separators=(",", ":"))
        body = json.dumps({"channel": at.channel, "events": [event]}, ensure_ascii=escaped, separators=(",", ":"))
        id = uuid.uuid4().hex
        await wire.send(
            {"type": "publish", "id": id, "channel": at.channel, "events": [event], "authorization": at.signed(body)}
        )
        if (await wire.answer(id))["type"] == "publish_success":
            accepted.append(name)
    await wire.socket.close()
    return ", ".join(accepted) or "neither"


async def publish_wildcard(at: Context) -> str:
    status, body = await publish_http(at.http, at.place.target, "/chats/*", [1], at.signed)
    return http_answer(status, body)


async def bare_wildcard(at: Context) -> str:
    wire = await at.open()
    answer = await wire.subscribe("/*", at.mine)
    await wire.socket.close()
    return f"{answer['type']} {types(answer)}"


async def bad_event(at: Context) -> str:
    body = _protocol.compact({"channel": at.channel, "events": ["{"]})
    return http_answer(*await post(at.http, at.place.target, body, at.signed))


async def no_init(at: Context) -> str:
    names = _protocol.subprotocols(at.mine("{}"))
    wire = Wire(await at.http.ws_connect(at.place.target.events_realtime_url, protocols=names))
    answer = await wire.subscribe(at.channel, at.mine)
    await wire.socket.close()
    return str(answer["type"])


async def second_init(at: Context) -> str:
    wire = await at.open()
    await wire.send({"type": "connection_init"})
    answer = await next_frame(wire)
    await wire.socket.close()
    return answer


async def next_frame(wire: Wire) -> str:
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            return str((await wire.frame())["type"])
    except TimeoutError:
        return "no answer"


async def early_unsubscribe(at: Context) -> str:
    for _ in range(_EARLY_TRIES):
        seen = await _unsubscribe_at_once(at)
        if "unsubscribe_success" not in seen:
            return seen
    return f"{seen} (never early)"


async def _unsubscribe_at_once(at: Context) -> str:
    """Return the answers for a subscription that is ended at once; a busy service may see the end come late."""
    wire = await at.open()
    await wire.send({"type": "subscribe", "id": "early", "channel": at.channel, "authorization": at.mine("")})
    await wire.send({"type": "unsubscribe", "id": "early"})
    seen = [(await wire.answer("early"))["type"]]
    if seen == ["unsubscribe_error"]:
        seen.append((await wire.answer("early"))["type"])
    await wire.send({"type": "unsubscribe", "id": "marker"})
    while (frame := await wire.frame()).get("id") != "marker":
        seen.append(frame["type"])
    await wire.socket.close()
    return ", ".join(sorted(seen))


async def bad_operation_id(at: Context) -> str:
    wire = await at.open()
    frame = {"type": "subscribe", "id": "not an id!", "channel": at.channel, "authorization": at.mine("")}
    await wire.send(frame)
    answer = await wire.frame()
    await wire.socket.close()
    return f"{answer['type']} {types(answer)}"


async def upgrade_headers(at: Context) -> str:
    socket = await at.http.ws_connect(
        at.place.target.events_realtime_url,
        protocols=(_protocol.SUBPROTOCOL,),
        headers={"Authorization": at.access},
    )
    wire = Wire(socket)
    await wire.send({"type": "connection_init"})
    answer = await wire.frame()
    await socket.close()
    return str(answer["type"])


async def token_use(at: Context) -> str:
    accepted = []
    for name, text in (("access", at.access), ("id", at.id_token)):
        wire = await Wire.open(at.http, at.place.target, token(at.place.target, text))
        if (await wire.frame())["type"] == "connection_ack":
            accepted.append(name)
        await wire.socket.close()
    return ", ".join(accepted) or "neither"


async def expiring_signature(at: Context) -> str:
    accepted = []
    for minutes in (4, 6):
        past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=minutes)
        with mock.patch.object(signing, "get_current_datetime", lambda *a, past=past, **k: past.replace(tzinfo=None)):
            status, _ = await publish_http(at.http, at.place.target, at.channel, [{"type": "NONSENSE"}], at.signed)
        if status == 200:
            accepted.append(f"{minutes} minutes")
    return ", ".join(accepted) or "neither"


async def several_credentials(at: Context) -> str:
    def both(body: str) -> dict[str, str]:
        return at.signed(body) | {"x-api-key": "da2-00000000000000000000000000"}

    status, _ = await publish_http(at.http, at.place.target, at.channel, [{"type": "NONSENSE"}], both)
    return str(status)


async def order(at: Context) -> str:
    wire = await at.open()
    assert (await wire.subscribe(at.channel, at.mine))["type"] == "subscribe_success"
    for number in range(4):
        batch = [_typing(at, 5 * number + n) for n in range(5)]
        status, _ = await publish_http(at.http, at.place.target, at.channel, batch, at.signed)
        assert status == 200
    seen = [int(json.loads((await wire.frame())["event"])["eventId"]) for _ in range(20)]
    await wire.socket.close()
    return "as published" if seen == sorted(seen) else f"reordered: {seen}"


def _typing(at: Context, number: int) -> dict[str, Any]:
    data = {"conversationId": at.group, "userId": at.me}
    return {"eventId": str(number), "type": "USER_TYPING", "data": data, "timestamp": "2026-01-01T00:00:00.000Z"}


QUESTIONS: tuple[Question, ...] = (
    Question("bad-channel-status", f"{assumptions.BAD_CHANNEL_STATUS.value} BadRequestException", bad_channel),
    Question("unknown-namespace", f"{assumptions.UNKNOWN_NAMESPACE_STATUS.value} NotFoundException", unknown_namespace),
    Question(
        "mode-not-allowed", f"{assumptions.MODE_NOT_ALLOWED_STATUS.value} UnauthorizedException", mode_not_allowed
    ),
    Question("handler-error-status", str(assumptions.HANDLER_ERROR_STATUS.value), handler_error),
    Question("failed-code", assumptions.HANDLER_ITEM_ERROR_CODE.value, failed_code),
    Question("refused-connect-close", str(assumptions.REFUSED_CONNECT_CLOSE_CODE.value), refused_connect_close),
    Question("missing-subprotocol", str(assumptions.MISSING_SUBPROTOCOL_STATUS.value), missing_subprotocol),
    Question("publish-rate", "LimitExceededException", publish_rate),
    Question("sigv4-body", "as it is, escaped", sigv4_body),
    Question("publish-wildcard", "400 BadRequestException", publish_wildcard),
    Question("bare-wildcard", "subscribe_error BadRequestException", bare_wildcard),
    Question("bad-event", "400 BadRequestException", bad_event),
    Question("no-init", "subscribe_success", no_init),
    Question("second-init", "connection_ack", second_init),
    Question("early-unsubscribe", "subscribe_success", early_unsubscribe),
    Question("bad-operation-id", "subscribe_error BadRequestException", bad_operation_id),
    Question("upgrade-headers", "connection_ack", upgrade_headers),
    Question("token-use", "access, id", token_use),
    Question("expiring-signature", "4 minutes", expiring_signature),
    Question("several-credentials", "200", several_credentials),
    Question("order", "as published", order),
)
