"""Every cell of the permission grid on the running Event API: over the socket, and publishing over HTTP too."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from appsync_js.permissions import GRID, Caller, Cell
from contract import channels, tables
from contract.events import event_types
from tests.e2e.place import Place, people_of
from tests.e2e.wire import Authorize, Wire, api_key, iam, nobody, publish_http, token

# An identity without a user id cannot be had from Cognito: only the handlers' own tests can make one.
CELLS = [cell for cell in GRID if cell.caller != "no sub"]
PUBLISHES = [cell for cell in CELLS if cell.operation == "publish"]


@dataclass(frozen=True)
class Scenario:
    """The names of the grid as ids, and my token."""

    names: dict[str, str]
    token: str = field(repr=False)
    other_token: str = field(repr=False)


@pytest.fixture(scope="module")
def scenario(session_place: Place) -> Iterator[Scenario]:
    with asyncio.Runner() as runner:
        stack = contextlib.AsyncExitStack()
        yield runner.run(_prepare(session_place, stack))
        runner.run(stack.aclose())


async def _prepare(place: Place, stack: contextlib.AsyncExitStack) -> Scenario:
    people = await stack.enter_async_context(people_of(place))
    me, other = await people.make("Ada", "Lovelace"), await people.make("Grace", "Hopper")
    third = await people.make("Alan", "Turing")
    hidden = f"hidden-{uuid.uuid4()}"[:36]
    names = {
        "me": me.id,
        "ME": me.id.upper(),
        "prefix": me.id[:-1],
        "longer": f"{me.id}0",
        "other": other.id,
        "group": await people.group(me, other),
        "othergroup": await people.group(other, third),
        "dm": await people.direct(me, other),
        "call": str(uuid.uuid4()),
        "othercall": str(uuid.uuid4()),
        "hiddencall": str(uuid.uuid4()),
        "nocall": str(uuid.uuid4()),
        "nogroup": str(uuid.uuid4()),
        "hidden": hidden,
    }
    await asyncio.to_thread(_calls, place, names)
    return Scenario(names, await me.session.access_token(), await other.session.access_token())


def _calls(place: Place, names: dict[str, str]) -> None:
    """Write what no route writes: calls, and a group that is hidden from me."""
    environment = _environment(place)
    dynamodb = place.aws("dynamodb")

    def put(table: tables.Table, item: dict[str, Any]) -> None:
        dynamodb.put_item(TableName=table.name(environment), Item=item)

    mine = {names["me"]: {"M": {}}, names["other"]: {"M": {}}}
    put(tables.CALLS, {"sessionId": {"S": names["call"]}, "participants": {"M": mine}})
    hidden = {"hiddenFrom": {"SS": [names["me"]]}}
    put(tables.CALLS, {"sessionId": {"S": names["hiddencall"]}, "participants": {"M": mine}, **hidden})
    put(tables.CALLS, {"sessionId": {"S": names["othercall"]}, "participants": {"M": {names["other"]: {"M": {}}}}})
    key = {"userId": {"S": names["me"]}, "conversationId": {"S": names["hidden"]}}
    put(tables.CONVERSATION_MEMBERS, key | {"type": {"S": "GROUP"}, "hidden": {"BOOL": True}})


def _environment(place: Place) -> str:
    prefix = tables.CALLS.name("")
    pages = place.aws("dynamodb").get_paginator("list_tables").paginate()
    names = [name for page in pages for name in page["TableNames"] if name.startswith(prefix)]
    assert len(names) == 1, f"the account holds {names}; it takes exactly one environment to test"
    return str(names[0].removeprefix(prefix))


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def credentials(caller: Caller, place: Place, scenario: Scenario) -> Authorize:
    if caller == "me":
        return token(place.target, scenario.token)
    return iam(place) if caller == "iam" else api_key(place.target, "da2-00000000000000000000000000")


async def event(cell: Cell, place: Place, scenario: Scenario, http: aiohttp.ClientSession) -> dict[str, Any]:
    """Return an event that is good in every respect, so that only the grid can refuse it."""
    if cell.namespace == channels.CONVERSATIONS.name:
        seq = await next_number(place, scenario, http) if "{group}" in cell.channel else 1
        return direct_message("direct", seq)
    types = event_types(cell.namespace) or ("NOT_CARRIED_YET",)
    return {
        "eventId": str(uuid.uuid4()),
        "type": types[-1],
        "data": {"conversationId": "c", "userId": "u", "removedBy": "u"},
        "timestamp": "2026-01-01T00:00:00.000Z",
    }


def direct_message(text: str, seq: int) -> dict[str, Any]:
    return {"type": "MESSAGE_SENT", "data": {"type": "TEXT", "content": text, "tempId": uuid.uuid4().hex, "seq": seq}}


async def history(place: Place, scenario: Scenario, http: aiohttp.ClientSession) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {scenario.token}"}
    url = f"{place.target.api_url}/api/messages/{scenario.names['group']}"
    async with http.get(url, headers=headers) as response:
        page: dict[str, Any] = await response.json()
        return page


async def next_number(place: Place, scenario: Scenario, http: aiohttp.ClientSession) -> int:
    return int((await history(place, scenario, http))["latestSeq"]) + 1


def passed_on(cell: Cell, accepted: list[Any]) -> bool:
    """Return whether the event went through; a namespace that carries none yet can only let the publisher in."""
    return len(accepted) == 1 or not event_types(cell.namespace)


REFUSED_BY_PERMISSION = {
    "Unauthorized",
    "UnauthorizedException",
    "BadRequestException",
    "NotFoundException",
    "FORBIDDEN",
}
"""Reasons of a refusal that have to do with who asks for which channel, not with what is published."""


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
async def test_the_socket_answers_a_cell_as_the_grid_says(
    cell: Cell, place: Place, scenario: Scenario, http: aiohttp.ClientSession
) -> None:
    # Whoever may not even connect is refused all the more: the connection is a signed-in user's.
    wire = await Wire.open(http, place.target, token(place.target, scenario.token))
    assert (await wire.frame())["type"] == "connection_ack"
    channel = cell.channel.format_map(scenario.names)
    authorize = credentials(cell.caller, place, scenario)
    if cell.operation == "subscribe":
        answer = await wire.subscribe(channel, authorize)
    else:
        answer = await wire.publish(channel, [await event(cell, place, scenario, http)], authorize)
    await wire.socket.close()
    passed = answer["type"] == f"{cell.operation}_success"
    assert passed == cell.allowed, answer
    if not passed:
        assert {error["errorType"] for error in answer["errors"]} <= REFUSED_BY_PERMISSION
    elif cell.operation == "publish":
        assert passed_on(cell, answer["successful"])


@pytest.mark.parametrize("cell", PUBLISHES, ids=lambda cell: cell.id)
async def test_http_answers_a_cell_as_the_grid_says(
    cell: Cell, place: Place, scenario: Scenario, http: aiohttp.ClientSession
) -> None:
    channel = cell.channel.format_map(scenario.names)
    authorize = credentials(cell.caller, place, scenario)
    good = await event(cell, place, scenario, http)
    status, body = await publish_http(http, place.target, channel, [good], authorize)
    assert (status == 200) == cell.allowed, (status, body)
    if cell.allowed:
        assert passed_on(cell, body["successful"]), body
    else:
        assert status in (400, 401, 403)
        assert {error["errorType"] for error in body["errors"]} <= REFUSED_BY_PERMISSION, body


@pytest.mark.parametrize("kind", ["nobody", "garbage", "api key", "iam"])
async def test_only_a_signed_in_user_can_connect(
    kind: str, place: Place, scenario: Scenario, http: aiohttp.ClientSession
) -> None:
    ways: dict[str, Authorize] = {
        "nobody": nobody(place.target),
        "garbage": token(place.target, "garbage"),
        "api key": api_key(place.target, "da2-00000000000000000000000000"),
        "iam": iam(place),
    }
    wire = await Wire.open(http, place.target, ways[kind])
    assert (await wire.frame())["type"] == "connection_error"
    await wire.socket.close()


@pytest.mark.parametrize("namespace", [namespace.name for namespace in channels.NAMESPACES])
@pytest.mark.parametrize("kind", ["nobody", "garbage"])
async def test_an_open_connection_gives_no_right_to_what_comes_without_credentials(
    kind: str, namespace: str, place: Place, scenario: Scenario, http: aiohttp.ClientSession
) -> None:
    wire = await Wire.open(http, place.target, token(place.target, scenario.token))
    assert (await wire.frame())["type"] == "connection_ack"
    names = {"chats": "me", "users": "me", "calls": "call", "conversations": "group"}
    channel = f"/{namespace}/{scenario.names[names[namespace]]}"
    bad = nobody(place.target) if kind == "nobody" else token(place.target, "garbage")
    assert (await wire.subscribe(channel, bad))["type"] == "subscribe_error"
    assert (await wire.publish(channel, [{"type": "MESSAGE_SENT", "data": {}}], bad))["type"] == "publish_error"
    status, _ = await publish_http(http, place.target, channel, [{"type": "MESSAGE_SENT", "data": {}}], bad)
    assert status == 401
    await wire.socket.close()


async def test_what_a_member_publishes_directly_is_stored_and_reaches_the_members_who_listen(
    place: Place, scenario: Scenario, http: aiohttp.ClientSession
) -> None:
    channel = f"/conversations/{scenario.names['group']}"
    me, other = token(place.target, scenario.token), token(place.target, scenario.other_token)
    listener = await Wire.open(http, place.target, other)
    assert (await listener.frame())["type"] == "connection_ack"
    assert (await listener.subscribe(channel, other))["type"] == "subscribe_success"
    text = f"straight to the channel {uuid.uuid4()}"
    message = direct_message(text, await next_number(place, scenario, http))
    speaker = await Wire.open(http, place.target, me)
    assert (await speaker.frame())["type"] == "connection_ack"
    assert (await speaker.publish(channel, [message], me))["type"] == "publish_success"
    frame = await listener.frame()
    await listener.socket.close()
    await speaker.socket.close()
    assert frame["type"] == "data"
    assert text in frame["event"]
    stored = (await history(place, scenario, http))["messages"]
    assert text in [message["content"] for message in stored]
