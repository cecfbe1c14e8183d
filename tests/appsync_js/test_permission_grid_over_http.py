"""Every cell of the product's permission grid, through the Events service: real credentials, socket and HTTP.

The handlers are the deployed text, the modes are those of the Events stack, the tables are real ones.
"""

import itertools
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import pytest_asyncio
from appsync_events_local.functions.chain import InvokerChain
from appsync_events_local.sources.registry import DataSources
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.running import API, KEY, REGION, Running, UserPool, api_properties, running, signed_headers

from appsync_js.permissions import GRID, NAMES, Cell
from appsync_js.render import placeholders, render
from contract import tables

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENVIRONMENT = "test"
SOURCES = {
    "calls": {"OnSubscribe": tables.CALLS},
    "conversations": {"OnSubscribe": tables.CONVERSATION_MEMBERS, "OnPublish": tables.CONVERSATION_MEMBERS},
}
SEQUENCE = itertools.count(1)


class Scenario:
    """What the names of the grid stand for, and the service that is asked."""

    def __init__(self, service: Running, names: Mapping[str, str]) -> None:
        self.service = service
        self.names = names

    def authorization(self, cell: Cell, channel: str, events: list[str] | None) -> dict[str, str]:
        """The credentials of the cell's caller for this operation over the socket."""
        signed = {"channel": channel} | ({} if events is None else {"events": events})
        return {"host": self.service.host} | self.headers(cell, json.dumps(signed, separators=(",", ":")))

    def headers(self, cell: Cell, body: str) -> dict[str, str]:
        pool, me = self.service.pool, self.names["me"]
        match cell.caller:
            case "me":
                return {"Authorization": pool.token(sub=me)}
            case "no sub":
                return {"Authorization": pool.token(sub=...)}
            case "api key":
                return {"x-api-key": KEY}
            case "iam":
                return signed_headers(self.service.event_url, body)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scenario(
    tmp_path_factory: pytest.TempPathFactory, signing_key: rsa.RSAPrivateKey, dynamodb: Any, dynamodb_endpoint: str
) -> AsyncIterator[Scenario]:
    pool, sources = UserPool(signing_key), DataSources(dynamodb_endpoint, InvokerChain(()))
    async with pool.served(), running(tmp_path_factory.mktemp("grid"), pool, sources, fresh=False) as service:
        await deploy(service)
        yield Scenario(service, filled(dynamodb))
    await sources.close()


async def deploy(service: Running) -> None:
    """Register the product's API with the modes of the Events stack."""
    cognito, iam = "AMAZON_COGNITO_USER_POOLS", "AWS_IAM"
    properties = api_properties(connect=(cognito,), subscribe=(cognito,), publish=(iam,))
    properties["EventConfig"]["AuthProviders"] = properties["EventConfig"]["AuthProviders"][:2]
    await service.register(properties=properties)
    names = {table.setting: table.name(ENVIRONMENT) for table in tables.TABLES}
    for namespace in ("chats", "users", "calls", "conversations"):
        configs: dict[str, Any] = {}
        for handler, table in SOURCES.get(namespace, {}).items():
            model = {"TableName": table.name(ENVIRONMENT), "AwsRegion": REGION}
            body = {"properties": {"Type": "AMAZON_DYNAMODB", "DynamoDBConfig": model}}
            await service.registered("PUT", f"apis/{API}/data-sources/{namespace}", body)
            configs[handler] = {"Behavior": "CODE", "Integration": {"DataSourceName": namespace}}
        modes = cognito if namespace == "conversations" else iam
        code = render(namespace, {name: names[name] for name in placeholders(namespace)})
        await service.namespace(namespace, code, HandlerConfigs=configs, PublishAuthModes=[{"AuthType": modes}])


def filled(dynamodb: Any) -> dict[str, str]:
    """Fill the tables; what the names of the grid stand for."""
    me, other = str(uuid.uuid4()), str(uuid.uuid4())
    names = {name: str(uuid.uuid4()) for name in NAMES}
    names |= {"me": me, "ME": me.upper(), "prefix": me[:-1], "longer": f"{me}0", "other": other}

    def put(table: tables.Table, item: dict[str, Any]) -> None:
        dynamodb.put_item(TableName=table.name(ENVIRONMENT), Item=item)

    def conversation(name: str, kind: str, members: list[str], **extra: Any) -> None:
        id = {"S": names[name]}
        if kind == "GROUP":
            numbers = {"latestSeq": {"N": "0"}, "lastTimestampMs": {"N": "0"}}
            put(tables.CONVERSATION_COUNTERS, {"conversationId": id, **numbers})
        for member in members:
            put(
                tables.CONVERSATION_MEMBERS,
                {"userId": {"S": member}, "conversationId": id, "type": {"S": kind}, **extra},
            )

    hidden: dict[str, Any] = {"hiddenFrom": {"SS": [me]}}
    for call, users, extra in (
        ("call", (me, other), {}),
        ("othercall", (other,), {}),
        ("hiddencall", (me, other), hidden),
    ):
        participants: dict[str, Any] = {"M": {user: {"M": {}} for user in users}}
        put(tables.CALLS, {"sessionId": {"S": names[call]}, "participants": participants, **extra})
    conversation("group", "GROUP", [me, other])
    conversation("othergroup", "GROUP", [other])
    conversation("dm", "DM", [me, other])
    conversation("hidden", "GROUP", [me], hidden={"BOOL": True})
    return names


def events_of(cell: Cell) -> list[str]:
    if cell.namespace != "conversations":
        return [json.dumps({"type": "not published here", "data": {}})]
    sequence = next(SEQUENCE) if cell.allowed else 1
    message = {"tempId": f"t{sequence}", "seq": sequence, "content": "hello"}
    return [json.dumps({"type": "MESSAGE_SENT", "data": message})]


@pytest.mark.parametrize("cell", GRID, ids=lambda cell: cell.id)
async def test_a_cell_is_answered_over_the_socket_as_the_grid_says(cell: Cell, scenario: Scenario) -> None:
    channel = cell.channel.format_map(scenario.names)
    events = events_of(cell) if cell.operation == "publish" else None
    me = {"host": scenario.service.host, "Authorization": scenario.service.pool.token(sub=scenario.names["me"])}
    socket = await scenario.service.connect(me)
    frame = {"type": cell.operation, "id": "1", "channel": channel} | ({"events": events} if events else {})
    answer = await socket.ask(**frame, authorization=scenario.authorization(cell, channel, events))
    assert answer["type"] == f"{cell.operation}_{'success' if cell.allowed else 'error'}", answer
    await socket.raw.close()


@pytest.mark.parametrize("cell", [c for c in GRID if c.operation == "publish"], ids=lambda cell: cell.id)
async def test_a_cell_is_answered_over_http_as_the_grid_says(cell: Cell, scenario: Scenario) -> None:
    body = json.dumps({"channel": cell.channel.format_map(scenario.names), "events": events_of(cell)})
    status, answer = await scenario.service.post_raw(body.encode(), scenario.headers(cell, body))
    assert (status == 200) is cell.allowed, answer
    assert cell.allowed or status in (400, 401, 403, 404)
