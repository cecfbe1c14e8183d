"""Fixtures: handlers that are closed after the test, and a real DynamoDB on loopback with the product's tables."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from appsync_js.permissions import NAMES
from appsync_js.render import placeholders, render
from contract.tables import CALLS, CONVERSATION_MEMBERS, CONVERSATIONS, TABLES, Table
from local.events.aws_clients import Credentials
from local.events.handlers import Incoming, Invocation, NamespaceHandlers
from local.events.sources.dynamodb import DynamoDbDataSource

REGION = "us-east-1"
ENVIRONMENT = "test"

SOURCES = {
    "calls": {"on_subscribe": CALLS},
    "conversations": {"on_subscribe": CONVERSATION_MEMBERS, "on_publish": CONVERSATIONS},
}
"""The data source of each handler that has one."""

Load = Callable[..., NamespaceHandlers]


@pytest.fixture
def load() -> Iterator[Load]:
    """Loads namespaces; their engines end with the test."""
    loaded: list[NamespaceHandlers] = []

    def loader(code: str | None, **options: Any) -> NamespaceHandlers:
        handlers = NamespaceHandlers.load(code, **options)
        loaded.append(handlers)
        return handlers

    yield loader
    for handlers in loaded:
        asyncio.run(handlers.close())


@pytest.fixture(scope="session")
def dynamodb_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a DynamoDB that holds the product's tables, on a free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("dynamodb")
    environment = os.environ | {
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "GATEWAY_PORT": str(port),
        "TMPDIR": str(folder),
        "STATE_DIR": str(folder),
    }
    with (folder / "log.txt").open("wb") as log:
        command = [str(Path(sys.executable).parent / "ministack")]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _await_healthy(process, endpoint, folder / "log.txt")
        _create_tables(endpoint)
        yield endpoint
    finally:
        process.terminate()
        process.wait(timeout=20)


def _await_healthy(process: subprocess.Popen[bytes], endpoint: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=2):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"the emulator did not start:\n{log.read_text(errors='replace')[-2000:]}")


def client(endpoint: str) -> Any:
    """A botocore DynamoDB client."""
    return botocore.session.Session().create_client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


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
def dynamodb(dynamodb_endpoint: str) -> Iterator[Any]:
    """A client of that DynamoDB."""
    opened = client(dynamodb_endpoint)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def data_source(dynamodb_endpoint: str) -> Iterator[Callable[[Table], DynamoDbDataSource]]:
    """Data sources on tables of that DynamoDB, one for each table."""
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
def product(data_source: Callable[[Table], DynamoDbDataSource]) -> Iterator[Callable[[str], NamespaceHandlers]]:
    """The product's own handlers by namespace, rendered as they are deployed, on that DynamoDB."""
    loaded: dict[str, NamespaceHandlers] = {}
    names = {table.setting: table.name(ENVIRONMENT) for table in TABLES}

    def handlers_of(namespace: str) -> NamespaceHandlers:
        if namespace not in loaded:
            code = render(namespace, {name: names[name] for name in placeholders(namespace)})
            sources: dict[str, Any] = {name: data_source(table) for name, table in SOURCES.get(namespace, {}).items()}
            loaded[namespace] = NamespaceHandlers.load(code, **sources)
        return loaded[namespace]

    yield handlers_of
    for handlers in loaded.values():
        asyncio.run(handlers.close())


@pytest.fixture(scope="module")
def scenario(dynamodb: Any) -> dict[str, str]:
    """What the names in the permission grid's channels stand for, with the rows in the tables that make it so."""
    me, other = str(uuid.uuid4()), str(uuid.uuid4())
    names = {name: str(uuid.uuid4()) for name in NAMES}
    names |= {"me": me, "ME": me.upper(), "prefix": me[:-1], "longer": f"{me}0", "other": other}

    def put(table: Table, item: dict[str, Any]) -> None:
        dynamodb.put_item(TableName=table.name(ENVIRONMENT), Item=item)

    def conversation(name: str, kind: str, members: list[str], **extra: Any) -> None:
        put(
            CONVERSATIONS,
            {"conversationId": {"S": names[name]}, "type": {"S": kind}, "latestSeq": {"N": "0"}},
        )
        for member in members:
            key = {"userId": {"S": member}, "conversationId": {"S": names[name]}}
            put(CONVERSATION_MEMBERS, key | {"type": {"S": kind}, **extra})

    both = {"M": {me: {"M": {}}, other: {"M": {}}}}
    put(CALLS, {"sessionId": {"S": names["call"]}, "participants": both})
    put(CALLS, {"sessionId": {"S": names["hiddencall"]}, "participants": both, "hiddenFrom": {"SS": [me]}})
    put(CALLS, {"sessionId": {"S": names["othercall"]}, "participants": {"M": {other: {"M": {}}}}})
    conversation("group", "GROUP", [me, other])
    conversation("othergroup", "GROUP", [other])
    conversation("dm", "DM", [me, other])
    conversation("hidden", "GROUP", [me], hidden={"BOOL": True})
    return names


PRELUDE = (
    "import { util, runtime, extensions } from '@aws-appsync/utils';\n"
    "import * as ddb from '@aws-appsync/utils/dynamodb';\n"
)


@pytest.fixture
def evaluate(load: Load) -> Callable[..., Any]:
    """Evaluates one APPSYNC_JS expression over ``ctx`` in the engine and returns its JSON value."""

    known: dict[str, NamespaceHandlers] = {}

    async def evaluator(expression: str, payload: Any = None, identity: dict[str, Any] | None = None) -> Any:
        code = f"{PRELUDE}export function onPublish(ctx) {{ return [{{ id: '1', payload: {expression} }}]; }}\n"
        if code not in known:
            known[code] = load(code)
        (result,) = await known[code].publish(Invocation(identity, "/a/b", "a"), [Incoming("1", payload)])
        return result.payload

    return evaluator
