"""Every cell of the permission grid through the Events service, over its socket and over HTTP.

The handlers are the deployed text, the modes and data sources are those of the Events stack, the tables are in a
DynamoDB emulator; tokens and signatures are real.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest
import pytest_asyncio
from appsync_events_local.functions.chain import InvokerChain
from appsync_events_local.sources.factory import DataSourceFactory
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.running import API, REGION, Running, UserPool, api_properties, running, signed_headers

from appsync_js.permissions import GRID, Cell
from appsync_js.render import placeholders, render
from contract import channels, tables
from contract.events import event_types

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENVIRONMENT = "test"
COGNITO, IAM = "AMAZON_COGNITO_USER_POOLS", "AWS_IAM"
SOURCES = {
    "calls": (tables.CALLS, ("OnSubscribe",)),
    "conversations": (tables.CONVERSATION_MEMBERS, ("OnSubscribe", "OnPublish")),
}
"""The table of each namespace's data source, and the handlers that use it."""
SEQUENCE = count(1)
SUBSCRIBE = [cell for cell in GRID if cell.operation == "subscribe"]
PUBLISH = [cell for cell in GRID if cell.operation == "publish"]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def service(
    tmp_path_factory: pytest.TempPathFactory, signing_key: rsa.RSAPrivateKey, dynamodb_endpoint: str
) -> AsyncIterator[Running]:
    """A service with the product's API, as the Events stack configures it."""
    pool, sources = UserPool(signing_key), DataSourceFactory(dynamodb_endpoint, InvokerChain(()))
    async with pool.served(), running(tmp_path_factory.mktemp("grid"), pool, sources, fresh=False) as started:
        await deploy(started)
        yield started
    await sources.close()


async def deploy(service: Running) -> None:
    """Register the product's API with its data sources and namespaces."""
    properties = api_properties(connect=(COGNITO,), subscribe=(COGNITO,), publish=(IAM,))
    config = properties["EventConfig"]
    config["AuthProviders"] = [each for each in config["AuthProviders"] if each["AuthType"] in (COGNITO, IAM)]
    await service.register(properties=properties)
    names = {table.setting: table.name(ENVIRONMENT) for table in tables.TABLES}
    for namespace in channels.NAMESPACES:
        configs: dict[str, Any] = {}
        if namespace.name in SOURCES:
            table, handlers = SOURCES[namespace.name]
            model = {"TableName": table.name(ENVIRONMENT), "AwsRegion": REGION}
            source = {"properties": {"Type": "AMAZON_DYNAMODB", "DynamoDBConfig": model}}
            await service.registered("PUT", f"apis/{API}/data-sources/{namespace.name}", source)
            integration = {"Behavior": "CODE", "Integration": {"DataSourceName": namespace.name}}
            configs = dict.fromkeys(handlers, integration)
        mode = COGNITO if namespace.name == channels.CONVERSATIONS.name else IAM
        code = render(namespace.name, {name: names[name] for name in placeholders(namespace.name)})
        await service.namespace(
            namespace.name,
            code,
            HandlerConfigs=configs,
            PublishAuthModes=[{"AuthType": mode}],
            SubscribeAuthModes=[{"AuthType": COGNITO}],
        )


def credentials(cell: Cell, service: Running, me: str, body: str) -> dict[str, str]:
    """The credentials of the cell's caller for an operation whose signature covers this body."""
    match cell.caller:
        case "me":
            return service.jwt_authorization(sub=me)
        case "no sub":
            return service.jwt_authorization(sub=...)
        case "api key":
            return service.key_authorization()
        case "iam":
            return signed_headers(service.event_url, body)


def compact(body: dict[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"))


def publish_body(cell: Cell, scenario: dict[str, str]) -> dict[str, Any]:
    """Channel and events of a publish; a claimed sequence number is the conversation's next one."""
    if cell.namespace == channels.CONVERSATIONS.name:
        seq = next(SEQUENCE) if cell.allowed else 1  # a refused message is not stored and takes no number
        data = {"tempId": f"{cell.case}-{seq}".replace(" ", "-"), "seq": seq, "content": "hello"}
        event = {"type": "MESSAGE_SENT", "data": data}
    else:
        event = {"type": next(iter(event_types(cell.namespace)), "NONE"), "data": {}}
    return {"channel": cell.channel.format_map(scenario), "events": [json.dumps(event)]}


async def answer_over_socket(
    cell: Cell, service: Running, scenario: dict[str, str], body: dict[str, Any]
) -> dict[str, Any]:
    """The answer to the cell's operation on a signed-in user's socket."""
    socket = await service.connect(service.jwt_authorization(sub=scenario["me"]))
    own = credentials(cell, service, scenario["me"], compact(body))
    answer = await socket.ask(type=cell.operation, id="grid", authorization=own, **body)
    await socket.raw.close()
    return answer


@pytest.mark.parametrize("cell", SUBSCRIBE, ids=lambda cell: cell.id)
async def test_subscribe_over_the_socket_is_answered_as_the_grid_says(
    cell: Cell, service: Running, scenario: dict[str, str]
) -> None:
    """Requirement P2."""
    body = {"channel": cell.channel.format_map(scenario)}
    answer = await answer_over_socket(cell, service, scenario, body)
    assert answer["type"] == ("subscribe_success" if cell.allowed else "subscribe_error"), answer


@pytest.mark.parametrize("cell", PUBLISH, ids=lambda cell: cell.id)
async def test_publish_over_the_socket_is_answered_as_the_grid_says(
    cell: Cell, service: Running, scenario: dict[str, str]
) -> None:
    """Requirement P2."""
    answer = await answer_over_socket(cell, service, scenario, publish_body(cell, scenario))
    assert answer["type"] == ("publish_success" if cell.allowed else "publish_error"), answer
    if cell.allowed and event_types(cell.namespace):
        assert len(answer["successful"]) == 1, answer


@pytest.mark.parametrize("cell", PUBLISH, ids=lambda cell: cell.id)
async def test_publish_over_http_is_answered_as_the_grid_says(
    cell: Cell, service: Running, scenario: dict[str, str]
) -> None:
    """Requirement P2."""
    body = compact(publish_body(cell, scenario))
    status, answer = await service.post_raw(body.encode(), credentials(cell, service, scenario["me"], body))
    assert (status == 200) == cell.allowed, answer
    assert cell.allowed or status in (400, 401, 403, 404)
    if cell.allowed and event_types(cell.namespace):
        assert len(answer["successful"]) == 1, answer


async def test_another_user_is_refused_on_every_channel_that_the_grid_allows(
    service: Running, scenario: dict[str, str]
) -> None:
    socket = await service.connect(service.jwt_authorization(sub="00000000-0000-4000-8000-000000000000"))
    allowed = [cell for cell in SUBSCRIBE if cell.allowed]
    for cell in allowed:
        answer = await socket.subscribe(cell.channel.format_map(scenario))
        assert answer["type"] == "subscribe_error", answer
    assert len(allowed) >= len(channels.NAMESPACES)
    await socket.raw.close()
