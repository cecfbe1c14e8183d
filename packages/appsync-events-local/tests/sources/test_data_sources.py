"""Handlers with data sources, and how registrations of the two depend on each other."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from appsync_events_local.handlers.namespace_handlers import DataSource, DataSourceError
from appsync_events_local.registry.data_source_models import DataSourceModel
from service_harness.running import API, Running, UserPool, running

CODE = """
import { util } from '@aws-appsync/utils'
export const onSubscribe = {
  request(ctx) {
    return { operation: 'GetItem', key: util.dynamodb.toMapValues({ id: ctx.info.channel.segments[1] }) }
  },
  response(ctx) {
    if (ctx.error) { util.error(ctx.error.message, ctx.error.type) }
    if (!ctx.result || !Object.hasOwn(ctx.result.members, ctx.identity.sub)) { util.unauthorized() }
  },
}
export function onPublish(ctx) { return ctx.events }
"""


def config(name: str = "members") -> dict[str, Any]:
    return {"OnSubscribe": {"Behavior": "CODE", "Integration": {"DataSourceName": name}}}


def table(name: str) -> dict[str, Any]:
    return {"properties": {"Type": "AMAZON_DYNAMODB", "DynamoDBConfig": {"TableName": name}}}


class Rooms:
    """A data source that answers GetItem from a dict; `broken` fails."""

    def __init__(self, model: DataSourceModel) -> None:
        self.model = model

    async def execute(self, request: dict[str, Any]) -> Any:
        assert request["operation"] == "GetItem"
        room = request["key"]["id"]["S"]
        if room == "broken":
            raise DataSourceError("DynamoDB:InternalServerError", "the table is on fire")
        rooms: dict[str, Any] = {"first": {"members": {"user-1": {}}}}
        return rooms.get(room) if self.model.target.table == "rooms" else None


@pytest.fixture
async def rooms(tmp_path: Path, pool: UserPool) -> AsyncIterator[Running]:
    def made(model: DataSourceModel) -> DataSource:
        return Rooms(model)

    async with running(tmp_path, pool, made) as service:
        await service.registered("PUT", f"apis/{API}/data-sources/members", table("rooms"))
        await service.namespace("rooms", CODE, HandlerConfigs=config())
        yield service


async def test_result_of_the_data_source_decides_a_subscription(rooms: Running) -> None:
    socket = await rooms.connect(rooms.jwt_authorization())
    assert (await socket.subscribe("/rooms/first"))["type"] == "subscribe_success"
    for channel in ("/rooms/second", "/rooms/*"):
        refused = await socket.subscribe(channel, id="x")
        assert refused["errors"][0]["errorType"] == "Unauthorized"
    stranger = await rooms.connect(rooms.jwt_authorization(sub="user-2"))
    assert (await stranger.subscribe("/rooms/first"))["errors"][0]["errorType"] == "Unauthorized"


async def test_handler_reports_the_error_of_its_data_source(rooms: Running) -> None:
    socket = await rooms.connect(rooms.jwt_authorization())
    refused = await socket.subscribe("/rooms/broken")
    assert refused["errors"] == [{"errorType": "DynamoDB:InternalServerError", "message": "the table is on fire"}]


async def test_changed_data_source_is_used_immediately(rooms: Running) -> None:
    socket = await rooms.connect(rooms.jwt_authorization())
    await rooms.registered("PUT", f"apis/{API}/data-sources/members", table("empty"))
    assert (await socket.subscribe("/rooms/first", id="1"))["type"] == "subscribe_error"
    await rooms.registered("PUT", f"apis/{API}/data-sources/members", table("rooms"))
    assert (await socket.subscribe("/rooms/first", id="1"))["type"] == "subscribe_success"


async def test_a_data_source_in_use_cannot_be_deleted(rooms: Running) -> None:
    path = f"apis/{API}/data-sources/members"
    status, answer = await rooms.control("DELETE", path)
    assert status == 409
    assert "used by namespace rooms" in answer["errors"][0]["message"]
    await rooms.registered("DELETE", f"apis/{API}/namespaces/rooms")
    await rooms.registered("DELETE", path)
    status, _ = await rooms.control("PUT", f"apis/{API}/namespaces/rooms", {
        "properties": {"CodeHandlers": CODE, "HandlerConfigs": config()}
    })  # fmt: skip
    assert status == 400


async def test_plain_function_with_a_configured_data_source_is_refused(rooms: Running) -> None:
    body = {"properties": {"CodeHandlers": "export function onSubscribe(ctx) {}", "HandlerConfigs": config()}}
    status, answer = await rooms.control("PUT", f"apis/{API}/namespaces/plain", body)
    assert status == 400
    assert "must be an object {request, response}" in answer["errors"][0]["message"]


async def test_publish_succeeds_while_a_data_source_is_slow(tmp_path: Path, pool: UserPool) -> None:
    release = asyncio.Event()

    class Slow:
        async def execute(self, request: dict[str, Any]) -> Any:
            await release.wait()
            return {"members": {"user-1": {}}}

    async with running(tmp_path, pool, lambda model: Slow()) as service:
        await service.registered("PUT", f"apis/{API}/data-sources/members", table("rooms"))
        await service.namespace("rooms", CODE, HandlerConfigs=config())
        socket = await service.connect(service.jwt_authorization())
        own = socket.authorization
        await socket.send(type="subscribe", id="slow", channel="/rooms/first", authorization=own)
        assert (await socket.publish("/rooms/first", json.dumps(1)))["type"] == "publish_success"
        release.set()
        assert await socket.receive() == {"type": "subscribe_success", "id": "slow"}
