"""Handlers with data sources, and the dependencies between the registrations of the two."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from appsync_events_local.handlers.namespace_handlers import DataSource, DataSourceError
from appsync_events_local.model.data_sources import DataSourceModel
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


class Teams:
    """A data source that answers GetItem from a dict; `broken` fails."""

    def __init__(self, model: DataSourceModel) -> None:
        self.model = model

    async def execute(self, request: dict[str, Any]) -> Any:
        assert request["operation"] == "GetItem"
        team = request["key"]["id"]["S"]
        if team == "broken":
            raise DataSourceError("DynamoDB:InternalServerError", "the table is on fire")
        teams: dict[str, Any] = {"first": {"members": {"user-1": {}}}}
        return teams.get(team) if self.model.target.table == "teams" else None


@pytest.fixture
async def teams(tmp_path: Path, pool: UserPool) -> AsyncIterator[Running]:
    def made(model: DataSourceModel) -> DataSource:
        return Teams(model)

    async with running(tmp_path, pool, made) as service:
        await service.registered("PUT", f"apis/{API}/data-sources/members", table("teams"))
        await service.namespace("teams", CODE, HandlerConfigs=config())
        yield service


async def test_result_of_the_data_source_decides_a_subscription(teams: Running) -> None:
    socket = await teams.connect(teams.jwt_authorization())
    assert (await socket.subscribe("/teams/first"))["type"] == "subscribe_success"
    for channel in ("/teams/second", "/teams/*"):
        refused = await socket.subscribe(channel, id="x")
        assert refused["errors"][0]["errorType"] == "Unauthorized"
    other = await teams.connect(teams.jwt_authorization(sub="user-2"))
    assert (await other.subscribe("/teams/first"))["errors"][0]["errorType"] == "Unauthorized"


async def test_handler_reports_the_error_of_its_data_source(teams: Running) -> None:
    socket = await teams.connect(teams.jwt_authorization())
    refused = await socket.subscribe("/teams/broken")
    assert refused["errors"] == [{"errorType": "DynamoDB:InternalServerError", "message": "the table is on fire"}]


async def test_changed_data_source_is_used_immediately(teams: Running) -> None:
    socket = await teams.connect(teams.jwt_authorization())
    await teams.registered("PUT", f"apis/{API}/data-sources/members", table("empty"))
    assert (await socket.subscribe("/teams/first", id="1"))["type"] == "subscribe_error"
    await teams.registered("PUT", f"apis/{API}/data-sources/members", table("teams"))
    assert (await socket.subscribe("/teams/first", id="1"))["type"] == "subscribe_success"


async def test_a_data_source_in_use_cannot_be_deleted(teams: Running) -> None:
    path = f"apis/{API}/data-sources/members"
    status, answer = await teams.control("DELETE", path)
    assert status == 409
    assert "used by namespace teams" in answer["errors"][0]["message"]
    await teams.registered("DELETE", f"apis/{API}/namespaces/teams")
    await teams.registered("DELETE", path)
    status, _ = await teams.control("PUT", f"apis/{API}/namespaces/teams", {
        "properties": {"CodeHandlers": CODE, "HandlerConfigs": config()}
    })  # fmt: skip
    assert status == 400


async def test_plain_function_with_a_configured_data_source_is_refused(teams: Running) -> None:
    body = {"properties": {"CodeHandlers": "export function onSubscribe(ctx) {}", "HandlerConfigs": config()}}
    status, answer = await teams.control("PUT", f"apis/{API}/namespaces/plain", body)
    assert status == 400
    assert "must be an object {request, response}" in answer["errors"][0]["message"]


async def test_publish_succeeds_while_a_data_source_is_slow(tmp_path: Path, pool: UserPool) -> None:
    release = asyncio.Event()

    class Slow:
        async def execute(self, request: dict[str, Any]) -> Any:
            await release.wait()
            return {"members": {"user-1": {}}}

    async with running(tmp_path, pool, lambda model: Slow()) as service:
        await service.registered("PUT", f"apis/{API}/data-sources/members", table("teams"))
        await service.namespace("teams", CODE, HandlerConfigs=config())
        socket = await service.connect(service.jwt_authorization())
        own = socket.authorization
        await socket.send(type="subscribe", id="slow", channel="/teams/first", authorization=own)
        assert (await socket.publish("/teams/first", json.dumps(1)))["type"] == "publish_success"
        release.set()
        assert await socket.receive() == {"type": "subscribe_success", "id": "slow"}
