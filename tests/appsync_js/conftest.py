"""Fixtures: the rendered handlers, a DynamoDB emulator with the product's tables, and the grid's scenario."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from appsync_events_local.aws_clients import Credentials
from appsync_events_local.handlers.namespace_handlers import NamespaceHandlers
from appsync_events_local.sources.dynamodb import DynamoDbDataSource
from service_harness.fixtures import REGION, client, dynamodb, load, other_key, signing_key
from service_harness.fixtures import dynamodb_endpoint as empty_dynamodb_endpoint

from appsync_js.permissions import NAMES
from appsync_js.render import placeholders, render
from contract.tables import CALLS, CONVERSATION_COUNTERS, CONVERSATION_MEMBERS, TABLES, Table

ENVIRONMENT = "test"

__all__ = ["dynamodb", "empty_dynamodb_endpoint", "load", "other_key", "signing_key"]

SOURCES = {
    "calls": {"on_subscribe": CALLS},
    "conversations": {"on_subscribe": CONVERSATION_MEMBERS, "on_publish": CONVERSATION_COUNTERS},
}
"""The table of each handler's data source, by namespace."""


@pytest.fixture(scope="session")
def dynamodb_endpoint(empty_dynamodb_endpoint: str) -> str:
    """Address of a DynamoDB emulator that holds the product's tables."""
    _create_tables(empty_dynamodb_endpoint)
    return empty_dynamodb_endpoint


def _create_tables(endpoint: str) -> None:
    dynamodb = client(endpoint)
    for table in TABLES:
        keys = [table.partition, *([table.sort] if table.sort else [])]
        dynamodb.create_table(
            TableName=table.name(ENVIRONMENT),
            KeySchema=[
                {"AttributeName": key.name, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": key.name, "AttributeType": key.type} for key in keys],
            BillingMode="PAY_PER_REQUEST",
        )
    dynamodb.close()


@pytest.fixture(scope="session")
def data_source(dynamodb_endpoint: str) -> Iterator[Callable[[Table], DynamoDbDataSource]]:
    """Opens the data source of a table in that emulator, one for each table."""
    opened: dict[str, DynamoDbDataSource] = {}

    def open_source(table: Table) -> DynamoDbDataSource:
        if table.entity not in opened:
            opened[table.entity] = DynamoDbDataSource(
                table.name(ENVIRONMENT),
                region=REGION,
                endpoint_url=dynamodb_endpoint,
                credentials=Credentials("test", "test"),
            )
        return opened[table.entity]

    yield open_source
    for source in opened.values():
        source.close()


@pytest.fixture(scope="session")
def handlers_of(data_source: Callable[[Table], DynamoDbDataSource]) -> Iterator[Callable[[str], NamespaceHandlers]]:
    """Loads the handlers of a namespace, rendered as they are deployed, on that emulator."""
    loaded: dict[str, NamespaceHandlers] = {}
    names = {table.setting: table.name(ENVIRONMENT) for table in TABLES}

    def load_namespace(namespace: str) -> NamespaceHandlers:
        if namespace not in loaded:
            code = render(namespace, {name: names[name] for name in placeholders(namespace)})
            sources: dict[str, Any] = {name: data_source(table) for name, table in SOURCES.get(namespace, {}).items()}
            loaded[namespace] = NamespaceHandlers.load(code, **sources)
        return loaded[namespace]

    yield load_namespace
    for handlers in loaded.values():
        asyncio.run(handlers.close())


@pytest.fixture(scope="module")
def scenario(dynamodb: Any) -> dict[str, str]:
    """The value of each name in the permission grid's channels; the tables hold the items that the names describe."""
    me, other = str(uuid.uuid4()), str(uuid.uuid4())
    names = {name: str(uuid.uuid4()) for name in NAMES}
    names |= {"me": me, "ME": me.upper(), "prefix": me[:-1], "longer": f"{me}0", "other": other}
    names["EPOCH"] = names["epoch"].upper()

    def put(table: Table, item: dict[str, Any]) -> None:
        dynamodb.put_item(TableName=table.name(ENVIRONMENT), Item=item)

    def conversation(name: str, kind: str, members: list[str], **extra: Any) -> None:
        if kind == "GROUP":
            epoch = names["epoch" if name == "group" else "otherepoch"]
            numbers = {"latestSeq": {"N": "0"}, "lastTimestampMs": {"N": "0"}, "channelEpoch": {"S": epoch}}
            put(CONVERSATION_COUNTERS, {"conversationId": {"S": names[name]}, **numbers})
        for member in members:
            key = {"userId": {"S": member}, "conversationId": {"S": names[name]}}
            put(CONVERSATION_MEMBERS, key | {"type": {"S": kind}, **extra})

    both = {"M": {me: {"M": {}}, other: {"M": {}}}}
    put(CALLS, {"sessionId": {"S": names["call"]}, "participants": both})
    put(CALLS, {"sessionId": {"S": names["hiddencall"]}, "participants": both, "hiddenFrom": {"SS": [me]}})
    put(CALLS, {"sessionId": {"S": names["othercall"]}, "participants": {"M": {other: {"M": {}}}}})
    conversation("group", "GROUP", [me, other])
    conversation("othergroup", "GROUP", [other])
    conversation("formergroup", "GROUP", [other])
    conversation("dm", "DM", [me, other])
    conversation("hidden", "GROUP", [me], hidden={"BOOL": True})
    return names
