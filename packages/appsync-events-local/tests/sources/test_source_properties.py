"""Any request of a handler gives a result or an error of its data source, never an exception of another kind."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from appsync_events_local.aws_clients import LOCAL_CREDENTIALS, Credentials
from appsync_events_local.functions.chain import InvokerChain
from appsync_events_local.handlers.namespace_handlers import DataSource, DataSourceError
from appsync_events_local.model.data_sources import HttpModel
from appsync_events_local.sources.dynamodb import DynamoDbDataSource
from appsync_events_local.sources.event_bridge import EventBridgeDataSource
from appsync_events_local.sources.functions import LambdaDataSource
from appsync_events_local.sources.http import HttpDataSource
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TEXTS = st.sampled_from(["", "/", "/x", "S", "N", "x", "GET", "POST", "\ud800", "#a", ":a", "é"]) | st.text(max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
TYPED = st.dictionaries(st.sampled_from(["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"]), JSON, max_size=1)
ITEM = st.dictionaries(TEXTS, TYPED | JSON, max_size=2) | JSON
EXPRESSION = JSON | st.fixed_dictionaries(
    {}, optional={"expression": JSON, "expressionNames": JSON, "expressionValues": ITEM | JSON, "equalsIgnore": JSON,
                  "conditionalCheckFailedHandler": JSON}
)  # fmt: skip
OPERATIONS = ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchPutItem",
              "BatchDeleteItem", "TransactGetItems", "TransactWriteItems"]  # fmt: skip
ACTIONS = st.lists(
    JSON
    | st.fixed_dictionaries(
        {},
        optional={"table": JSON, "operation": st.sampled_from(OPERATIONS), "key": ITEM, "attributeValues": ITEM,
                  "update": EXPRESSION, "condition": EXPRESSION, "projection": EXPRESSION},
    ),
    max_size=2,
)  # fmt: skip
DYNAMODB = st.fixed_dictionaries(
    {"operation": st.sampled_from(OPERATIONS) | JSON},
    optional={
        "key": ITEM, "attributeValues": ITEM, "update": EXPRESSION, "condition": EXPRESSION, "query": EXPRESSION,
        "filter": EXPRESSION, "projection": EXPRESSION,
        "tables": JSON | st.dictionaries(TEXTS, ACTIONS | JSON, max_size=2),
        "transactItems": ACTIONS | JSON, "limit": JSON, "nextToken": JSON, "index": JSON, "select": JSON,
        "scanIndexForward": JSON, "totalSegments": JSON, "segment": JSON, "consistentRead": JSON,
    },
)  # fmt: skip
HTTP = st.fixed_dictionaries(
    {"method": st.sampled_from(["GET", "POST"]) | JSON, "resourcePath": TEXTS.map(lambda text: f"/{text}") | JSON},
    optional={"params": JSON | st.fixed_dictionaries({}, optional={"query": JSON, "headers": JSON, "body": JSON})},
)
EVENT = JSON | st.fixed_dictionaries(
    {"source": TEXTS, "detailType": TEXTS, "detail": st.dictionaries(TEXTS, JSON, max_size=2)},
    optional={"resources": JSON, "time": JSON},
)
EVENTS = st.fixed_dictionaries({"operation": st.just("PutEvents") | JSON, "events": JSON | st.lists(EVENT, max_size=2)})
INVOKE = st.fixed_dictionaries(
    {"operation": st.just("Invoke") | JSON}, optional={"invocationType": JSON, "payload": JSON}
)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def outcome(source: DataSource, request: dict[str, Any]) -> DataSourceError | None:
    """The data source error of a request, or `None`; any other exception fails the test."""
    try:
        await source.execute(request)
    except DataSourceError as error:
        return error
    return None


def check(error: DataSourceError | None, kind: str) -> None:
    assert error is None or (error.type.startswith(f"{kind}:") and error.message)


@pytest.fixture(scope="module")
def dynamodb_source(dynamodb_endpoint: str) -> Iterator[DynamoDbDataSource]:
    source = DynamoDbDataSource(
        "nothing", region="us-east-1", endpoint_url=dynamodb_endpoint, credentials=Credentials("test", "test")
    )
    yield source
    source.close()


@given(request=DYNAMODB)
@QUICK
def test_any_dynamodb_request_gives_a_result_or_an_error_of_the_data_source(
    dynamodb_source: DynamoDbDataSource, request: dict[str, Any]
) -> None:
    check(asyncio.run(outcome(dynamodb_source, request)), "DynamoDB")


@given(request=HTTP)
@QUICK
def test_any_http_request_gives_a_result_or_an_error_of_the_data_source(
    unused_tcp_port: int, request: dict[str, Any]
) -> None:
    source = HttpDataSource(HttpModel(f"http://127.0.0.1:{unused_tcp_port}"), LOCAL_CREDENTIALS)

    async def once() -> DataSourceError | None:
        try:
            return await outcome(source, request)
        finally:
            await source.close()

    check(asyncio.run(once()), "Http")


@pytest.fixture(scope="module")
def bridge(dynamodb_endpoint: str) -> Iterator[EventBridgeDataSource]:
    source = EventBridgeDataSource(
        "arn:aws:events:us-east-1:000000000000:event-bus/default",
        region="us-east-1",
        endpoint_url=dynamodb_endpoint,
        credentials=Credentials("test", "test"),
    )
    yield source
    source.close()


@given(request=EVENTS)
@QUICK
def test_any_event_bridge_request_gives_a_result_or_an_error_of_the_data_source(
    bridge: EventBridgeDataSource, request: dict[str, Any]
) -> None:
    check(asyncio.run(outcome(bridge, request)), "EventBridge")


@given(request=INVOKE)
@QUICK
def test_any_lambda_request_gives_a_result_or_an_error_of_the_data_source(request: dict[str, Any]) -> None:
    source = LambdaDataSource("arn:aws:lambda:us-east-1:000000000000:function:f", InvokerChain(()))
    check(asyncio.run(outcome(source, request)), "Lambda")
