"""Every cell of the permission grid through the Events service: over its socket, and publishing over HTTP too.

The API is configured as the Events stack configures it; tokens and signatures are real.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from appsync_events_local.functions.chain import InvokerChain
from appsync_events_local.sources.factory import DataSourceFactory
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.running import API, Running, Socket, UserPool, api_properties, running, signed_headers

from appsync_js.permissions import GRID, Cell
from appsync_js.render import placeholders, render
from contract import channels, tables
from contract.events import event_types

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENVIRONMENT = "test"
COGNITO, IAM = "AMAZON_COGNITO_USER_POOLS", "AWS_IAM"
PHYSICAL = {table.setting: table.name(ENVIRONMENT) for table in tables.TABLES}
SOURCES = {
    "calls": {"OnSubscribe": tables.CALLS},
    "conversations": {"OnSubscribe": tables.CONVERSATION_MEMBERS, "OnPublish": tables.CONVERSATIONS},
}
SEQ = count(1)


def namespace_properties(namespace: str) -> dict[str, Any]:
    publish = COGNITO if namespace == channels.CONVERSATIONS.name else IAM
    configs = {
        handler: {"Behavior": "CODE", "Integration": {"DataSourceName": table.entity}}
        for handler, table in SOURCES.get(namespace, {}).items()
    }
    return {
        "CodeHandlers": render(namespace, {name: PHYSICAL[name] for name in placeholders(namespace)}),
        "HandlerConfigs": configs,
        "PublishAuthModes": [{"AuthType": publish}],
        "SubscribeAuthModes": [{"AuthType": COGNITO}],
    }


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory, dynamodb_endpoint: str) -> AsyncIterator[Running]:
    folder: Path = tmp_path_factory.mktemp("service")
    pool = UserPool(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    sources = DataSourceFactory(dynamodb_endpoint, InvokerChain(()))
    async with pool.served(), running(folder, pool, sources) as started:
        modes = {"connect": (COGNITO,), "publish": (IAM,), "subscribe": (COGNITO,)}
        await started.register(properties=api_properties(**modes))
        for table in {table for handlers in SOURCES.values() for table in handlers.values()}:
            properties = {
                "Name": table.entity,
                "Type": "AMAZON_DYNAMODB",
                "DynamoDBConfig": {"TableName": table.name(ENVIRONMENT), "AwsRegion": "us-east-1"},
            }
            await started.registered("PUT", f"apis/{API}/data-sources/{table.entity}", {"properties": properties})
        for namespace in channels.NAMESPACES:
            body = {"properties": namespace_properties(namespace.name)}
            await started.registered("PUT", f"apis/{API}/namespaces/{namespace.name}", body)
        yield started
    await sources.close()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def socket(service: Running, scenario: dict[str, str]) -> AsyncIterator[Socket]:
    """A signed-in user's socket; each frame brings the credentials of the cell's caller."""
    opened = await service.connect(service.jwt_authorization(sub=scenario["me"]))
    yield opened
    await opened.raw.close()


def credentials(cell: Cell, service: Running, me: str, body: dict[str, Any]) -> dict[str, str]:
    match cell.caller:
        case "me":
            return service.jwt_authorization(sub=me)
        case "no sub":
            return service.jwt_authorization(sub=...)
        case "api key":
            return service.key_authorization()
        case "iam":
            return signed_headers(service.event_url, json.dumps(body, separators=(",", ":")))


def event(cell: Cell) -> str:
    if cell.namespace == channels.CONVERSATIONS.name:
        # A refused claim is not stored, so only an accepted one moves the number on.
        seq = next(SEQ) if cell.allowed else 1
        data = {"tempId": f"{cell.case}-{seq}".replace(" ", "-"), "seq": seq, "content": "hello"}
        return json.dumps({"type": "MESSAGE_SENT", "data": data})
    return json.dumps({"type": next(iter(event_types(cell.namespace)), "NONE"), "data": {}})


SUBSCRIBE = [cell for cell in GRID if cell.operation == "subscribe"]
PUBLISH = [cell for cell in GRID if cell.operation == "publish"]


@pytest.mark.parametrize("cell", SUBSCRIBE, ids=lambda cell: cell.id)
async def test_subscribing_over_the_socket_is_answered_as_the_grid_says(
    cell: Cell, service: Running, socket: Socket, scenario: dict[str, str]
) -> None:
    channel = cell.channel.format_map(scenario)
    authorization = credentials(cell, service, scenario["me"], {"channel": channel})
    answer = await socket.ask(type="subscribe", id="grid", channel=channel, authorization=authorization)
    assert answer["type"] == ("subscribe_success" if cell.allowed else "subscribe_error"), answer
    if cell.allowed:
        assert (await socket.ask(type="unsubscribe", id="grid"))["type"] == "unsubscribe_success"


@pytest.mark.parametrize("cell", PUBLISH, ids=lambda cell: cell.id)
async def test_publishing_over_http_is_answered_as_the_grid_says(
    cell: Cell, service: Running, scenario: dict[str, str]
) -> None:
    body = {"channel": cell.channel.format_map(scenario), "events": [event(cell)]}
    text = json.dumps(body, separators=(",", ":"))
    headers = credentials(cell, service, scenario["me"], body)
    status, answer = await service.post_raw(text.encode(), headers)
    assert (status == 200) == cell.allowed, answer
    if cell.allowed and event_types(cell.namespace):
        assert len(answer["successful"]) == 1, answer


@pytest.mark.parametrize("cell", PUBLISH, ids=lambda cell: cell.id)
async def test_publishing_over_the_socket_is_answered_as_the_grid_says(
    cell: Cell, service: Running, socket: Socket, scenario: dict[str, str]
) -> None:
    body = {"channel": cell.channel.format_map(scenario), "events": [event(cell)]}
    authorization = credentials(cell, service, scenario["me"], body)
    answer = await socket.ask(type="publish", id="grid", authorization=authorization, **body)
    assert answer["type"] == ("publish_success" if cell.allowed else "publish_error"), answer
    if cell.allowed and event_types(cell.namespace):
        assert len(answer["successful"]) == 1, answer


async def test_somebody_else_on_the_same_channels_is_refused(service: Running, scenario: dict[str, str]) -> None:
    stranger = await service.connect(service.jwt_authorization(sub="00000000-0000-4000-8000-000000000000"))
    own = [cell for cell in SUBSCRIBE if cell.allowed]
    for cell in own:
        answer = await stranger.subscribe(cell.channel.format_map(scenario))
        assert answer["type"] == "subscribe_error", answer
    assert len(own) >= len(channels.NAMESPACES)
    await stranger.raw.close()
