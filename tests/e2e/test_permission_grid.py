"""Every cell of the permission grid on the running Event API, over WebSocket and, for publishing, over HTTP."""

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
from tests.harness.e2e.environment import TestEnvironment
from tests.harness.e2e.raw_connection import Authorize, RawConnection, api_key, iam, no_credentials, publish_http, token
from tests.harness.e2e.users import users_of

# Cognito issues no token without a user id: only the tests of the handlers have such an identity.
CELLS = [cell for cell in GRID if cell.caller != "no sub"]
PUBLISHES = [cell for cell in CELLS if cell.operation == "publish"]


@dataclass(frozen=True)
class Scenario:
    """The ids for the names of the grid, and the tokens of `me` and `other`."""

    names: dict[str, str]
    token: str = field(repr=False)
    other_token: str = field(repr=False)


@pytest.fixture(scope="module")
def scenario(session_environment: TestEnvironment) -> Iterator[Scenario]:
    with asyncio.Runner() as runner:
        stack = contextlib.AsyncExitStack()
        yield runner.run(_prepare(session_environment, stack))
        runner.run(stack.aclose())


async def _prepare(environment: TestEnvironment, stack: contextlib.AsyncExitStack) -> Scenario:
    users = await stack.enter_async_context(users_of(environment))
    me, other = await users.create("Ada", "Lovelace"), await users.create("Grace", "Hopper")
    third = await users.create("Alan", "Turing")
    group, others_group = await users.group(me, other, third), await users.group(other, third)
    former = await users.group(other, third, me)
    old = await users.channel(me, group)
    await other.api.remove_member(former, me.id)
    await third.api.leave_group(group)
    epoch = (await users.channel(me, group)).rpartition("/")[2]
    hidden = f"hidden-{uuid.uuid4()}"[:36]
    names = {
        "me": me.id,
        "ME": me.id.upper(),
        "prefix": me.id[:-1],
        "longer": f"{me.id}0",
        "other": other.id,
        "group": group,
        "epoch": epoch,
        "EPOCH": epoch.upper(),
        "oldepoch": old.rpartition("/")[2],
        "othergroup": others_group,
        "otherepoch": (await users.channel(other, others_group)).rpartition("/")[2],
        "formergroup": former,
        "dm": await users.direct(me, other),
        "call": str(uuid.uuid4()),
        "othercall": str(uuid.uuid4()),
        "hiddencall": str(uuid.uuid4()),
        "nocall": str(uuid.uuid4()),
        "nogroup": str(uuid.uuid4()),
        "hidden": hidden,
    }
    await asyncio.to_thread(_write_records, environment, names)
    return Scenario(names, await me.session.access_token(), await other.session.access_token())


def _write_records(environment: TestEnvironment, names: dict[str, str]) -> None:
    """Write records that no route writes: calls, and a group that is hidden from `me`."""
    name = _environment_name(environment)
    dynamodb = environment.aws("dynamodb")

    def put(table: tables.Table, item: dict[str, Any]) -> None:
        dynamodb.put_item(TableName=table.name(name), Item=item)

    participants: dict[str, Any] = {names["me"]: {"M": {}}, names["other"]: {"M": {}}}
    put(tables.CALLS, {"sessionId": {"S": names["call"]}, "participants": {"M": participants}})
    hidden = {"hiddenFrom": {"SS": [names["me"]]}}
    put(tables.CALLS, {"sessionId": {"S": names["hiddencall"]}, "participants": {"M": participants}, **hidden})
    put(tables.CALLS, {"sessionId": {"S": names["othercall"]}, "participants": {"M": {names["other"]: {"M": {}}}}})
    key = {"userId": {"S": names["me"]}, "conversationId": {"S": names["hidden"]}}
    put(tables.CONVERSATION_MEMBERS, key | {"type": {"S": "GROUP"}, "hidden": {"BOOL": True}})
    counter = {"conversationId": {"S": names["hidden"]}, "channelEpoch": {"S": names["otherepoch"]}}
    put(tables.CONVERSATION_COUNTERS, counter)


def _environment_name(environment: TestEnvironment) -> str:
    prefix = tables.CALLS.name("")
    pages = environment.aws("dynamodb").get_paginator("list_tables").paginate()
    names = [name for page in pages for name in page["TableNames"] if name.startswith(prefix)]
    assert len(names) == 1, f"the account holds {names}; the account must hold exactly one environment"
    return str(names[0].removeprefix(prefix))


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def credentials(caller: Caller, environment: TestEnvironment, scenario: Scenario) -> Authorize:
    if caller == "me":
        return token(environment.target, scenario.token)
    return iam(environment) if caller == "iam" else api_key(environment.target, "da2-00000000000000000000000000")


async def event(
    cell: Cell, environment: TestEnvironment, scenario: Scenario, http: aiohttp.ClientSession
) -> dict[str, Any]:
    """Return a valid event, so that only a permission can refuse it."""
    if cell.namespace == channels.CONVERSATIONS.name:
        seq = await next_seq(environment, scenario, http) if "{group}" in cell.channel else 1
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


async def history(environment: TestEnvironment, scenario: Scenario, http: aiohttp.ClientSession) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {scenario.token}"}
    url = f"{environment.target.api_url}/api/messages/{scenario.names['group']}"
    async with http.get(url, headers=headers) as response:
        page: dict[str, Any] = await response.json()
        return page


async def next_seq(environment: TestEnvironment, scenario: Scenario, http: aiohttp.ClientSession) -> int:
    return int((await history(environment, scenario, http))["latestSeq"]) + 1


def was_published(cell: Cell, accepted: list[Any]) -> bool:
    """Return whether the event was published; a namespace without event types can only accept the request."""
    return len(accepted) == 1 or not event_types(cell.namespace)


REFUSED_BY_PERMISSION = {
    "Unauthorized",
    "UnauthorizedException",
    "BadRequestException",
    "NotFoundException",
    "FORBIDDEN",
    "CHANNEL_CHANGED",
}
"""Error types of a refusal because of the caller and the channel, not because of the event."""


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.id)
async def test_a_websocket_operation_is_allowed_exactly_where_the_grid_allows_it(
    cell: Cell, environment: TestEnvironment, scenario: Scenario, http: aiohttp.ClientSession
) -> None:
    # The connection is always a signed-in user's: the other credentials may not connect.
    connection = await RawConnection.open(http, environment.target, token(environment.target, scenario.token))
    assert (await connection.frame())["type"] == "connection_ack"
    channel = cell.channel.format_map(scenario.names)
    authorize = credentials(cell.caller, environment, scenario)
    if cell.operation == "subscribe":
        response = await connection.subscribe(channel, authorize)
    else:
        response = await connection.publish(channel, [await event(cell, environment, scenario, http)], authorize)
    await connection.close()
    passed = response["type"] == f"{cell.operation}_success"
    assert passed == cell.allowed, response
    if not passed:
        assert {error["errorType"] for error in response["errors"]} <= REFUSED_BY_PERMISSION
    elif cell.operation == "publish":
        assert was_published(cell, response["successful"])


@pytest.mark.parametrize("cell", PUBLISHES, ids=lambda cell: cell.id)
async def test_an_http_publish_is_allowed_exactly_where_the_grid_allows_it(
    cell: Cell, environment: TestEnvironment, scenario: Scenario, http: aiohttp.ClientSession
) -> None:
    channel = cell.channel.format_map(scenario.names)
    authorize = credentials(cell.caller, environment, scenario)
    valid = await event(cell, environment, scenario, http)
    status, body = await publish_http(http, environment.target, channel, [valid], authorize)
    assert (status == 200) == cell.allowed, (status, body)
    if cell.allowed:
        assert was_published(cell, body["successful"]), body
    else:
        assert status in (400, 401, 403)
        assert {error["errorType"] for error in body["errors"]} <= REFUSED_BY_PERMISSION, body


@pytest.mark.parametrize("kind", ["no credentials", "garbage", "api key", "iam"])
async def test_only_a_signed_in_user_can_connect(
    kind: str, environment: TestEnvironment, scenario: Scenario, http: aiohttp.ClientSession
) -> None:
    authorizations: dict[str, Authorize] = {
        "no credentials": no_credentials(environment.target),
        "garbage": token(environment.target, "garbage"),
        "api key": api_key(environment.target, "da2-00000000000000000000000000"),
        "iam": iam(environment),
    }
    connection = await RawConnection.open(http, environment.target, authorizations[kind])
    assert (await connection.frame())["type"] == "connection_error"
    await connection.close()


@pytest.mark.parametrize("namespace", [namespace.name for namespace in channels.NAMESPACES])
@pytest.mark.parametrize("kind", ["no credentials", "garbage"])
async def test_an_open_connection_does_not_authorize_operations_without_credentials(
    kind: str, namespace: str, environment: TestEnvironment, scenario: Scenario, http: aiohttp.ClientSession
) -> None:
    connection = await RawConnection.open(http, environment.target, token(environment.target, scenario.token))
    assert (await connection.frame())["type"] == "connection_ack"
    allowed = (cell for cell in GRID if cell.namespace == namespace and cell.operation == "subscribe" and cell.allowed)
    channel = next(allowed).channel.format_map(scenario.names)
    invalid = no_credentials(environment.target) if kind == "no credentials" else token(environment.target, "garbage")
    assert (await connection.subscribe(channel, invalid))["type"] == "subscribe_error"
    assert (await connection.publish(channel, [{"type": "MESSAGE_SENT", "data": {}}], invalid))[
        "type"
    ] == "publish_error"
    status, _ = await publish_http(http, environment.target, channel, [{"type": "MESSAGE_SENT", "data": {}}], invalid)
    assert status == 401
    await connection.close()


async def test_a_message_published_by_a_member_is_stored_and_reaches_the_subscribed_members(
    environment: TestEnvironment, scenario: Scenario, http: aiohttp.ClientSession
) -> None:
    channel = "/conversations/{group}/{epoch}".format_map(scenario.names)
    me, other = token(environment.target, scenario.token), token(environment.target, scenario.other_token)
    listener = await RawConnection.open(http, environment.target, other)
    assert (await listener.frame())["type"] == "connection_ack"
    assert (await listener.subscribe(channel, other))["type"] == "subscribe_success"
    text = f"published on the channel {uuid.uuid4()}"
    message = direct_message(text, await next_seq(environment, scenario, http))
    publisher = await RawConnection.open(http, environment.target, me)
    assert (await publisher.frame())["type"] == "connection_ack"
    assert (await publisher.publish(channel, [message], me))["type"] == "publish_success"
    frame = await listener.frame()
    await listener.close()
    await publisher.close()
    assert frame["type"] == "data"
    assert text in frame["event"]
    stored = (await history(environment, scenario, http))["messages"]
    assert text in [message["content"] for message in stored]
