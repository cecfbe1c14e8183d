"""The DynamoDB data source on a DynamoDB emulator, used through handler code."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from appsync_events_local.aws_clients import Credentials
from appsync_events_local.handlers.namespace_handlers import DataSourceError, Incoming, Invocation, NamespaceHandlers
from appsync_events_local.sources.attributes import to_plain, to_wire
from appsync_events_local.sources.dynamodb import DynamoDbDataSource
from service_harness.fixtures import REGION

HISTORY = "data-source-history"
SINGLE = "data-source-single"
KEYS = {HISTORY: ("conversationId", "timestamp"), SINGLE: ("id",)}
"""The key attributes of each table, all of them text: the partition key, and the sort key if there is one."""

Run = Callable[..., Awaitable[Any]]


@pytest.fixture(scope="module")
def sources(dynamodb: Any, dynamodb_endpoint: str) -> Iterator[dict[str, DynamoDbDataSource]]:
    """The data source of each table."""
    for table, keys in KEYS.items():
        dynamodb.create_table(
            TableName=table,
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            BillingMode="PAY_PER_REQUEST",
        )
    credentials = Credentials("test", "test")
    opened = {
        table: DynamoDbDataSource(table, region=REGION, endpoint_url=dynamodb_endpoint, credentials=credentials)
        for table in KEYS
    }
    yield opened
    for source in opened.values():
        source.close()


@pytest.fixture
def run(load: Callable[..., NamespaceHandlers], sources: dict[str, DynamoDbDataSource]) -> Run:
    """Runs one request expression and returns ``[ctx.result, ctx.error]``."""

    async def runner(expression: str, payload: Any = None, table: str = SINGLE) -> Any:
        code = (
            "import { util } from '@aws-appsync/utils';\nimport * as ddb from '@aws-appsync/utils/dynamodb';\n"
            "export const onPublish = {\n"
            f"  request(ctx) {{ const p = ctx.events[0].payload; return {expression}; }},\n"
            "  response(ctx) { return [{ id: '1', payload: [ctx.result, ctx.error] }]; },\n};\n"
        )
        handlers = load(code, on_publish=sources[table])
        (returned,) = await handlers.publish(Invocation(None, "/a/b", "a"), [Incoming("1", payload)])
        return returned.payload

    return runner


@pytest.fixture
def key() -> str:
    return str(uuid.uuid4())


async def test_put_get_update_and_remove_an_item(run: Run, key: str) -> None:
    item = {"text": "x", "n": 1.5, "big": 10**15, "list": [1, None, {"deep": True}], "map": {}}
    stored = item | {"id": key}
    assert await run("ddb.put({ key: { id: p.id }, item: p.item })", {"id": key, "item": item}) == [stored, None]
    assert await run("ddb.get({ key: { id: p }, consistentRead: true })", key) == [stored, None]
    updated, error = await run(
        "ddb.update({ key: { id: p }, update: { n: ddb.operations.increment(2), text: ddb.operations.remove(),"
        " list: ddb.operations.append([9]), added: ddb.operations.add('new') } })",
        key,
    )
    assert error is None
    assert (updated["n"], updated["added"], updated["list"][-1], "text" in updated) == (3.5, "new", 9, False)
    assert (await run("ddb.remove({ key: { id: p } })", key))[0] == updated
    assert await run("ddb.get({ key: { id: p } })", key) == [None, None]
    assert await run("ddb.remove({ key: { id: p } })", key) == [None, None]


async def test_sets_and_binaries_keep_their_kind(run: Run, key: str, dynamodb: Any) -> None:
    await run(
        "ddb.put({ key: { id: p }, item: { s: ddb.toStringSet(['b', 'a']), n: ddb.toNumberSet([1, 2.5]),"
        " b: ddb.toBinarySet(['YQ==']) } })",
        key,
    )
    raw = dynamodb.get_item(TableName=SINGLE, Key={"id": {"S": key}})["Item"]
    assert (sorted(raw["s"]["SS"]), sorted(raw["n"]["NS"]), raw["b"]["BS"]) == (["a", "b"], ["1", "2.5"], [b"a"])
    item, _ = await run("ddb.get({ key: { id: p } })", key)
    assert (sorted(item["s"]), sorted(item["n"]), item["b"]) == (["a", "b"], [1, 2.5], ["YQ=="])


async def test_a_failed_condition_is_an_error_with_the_item_as_result(run: Run, key: str) -> None:
    expression = "ddb.put({ key: { id: p }, item: { n: %d }, condition: { id: { attributeExists: false } } })"
    assert (await run(expression % 1, key))[1] is None
    result, error = await run(expression % 2, key)
    assert error["type"] == "DynamoDB:ConditionalCheckFailedException"
    assert result == {"id": key, "n": 1}
    for other in (
        "ddb.update({ key: { id: p }, update: { n: 1 }, condition: { n: { gt: 5 } } })",
        "ddb.remove({ key: { id: p }, condition: { n: { gt: 5 } } })",
    ):
        result, error = await run(other, key)
        assert (result, error["type"]) == ({"id": key, "n": 1}, "DynamoDB:ConditionalCheckFailedException")


async def test_failed_condition_succeeds_if_the_item_already_has_the_wanted_state(run: Run, key: str) -> None:
    put = "ddb.put({ key: { id: p }, item: { n: 1, at: %d }, condition: { id: { attributeExists: false } } })"
    assert (await run(put % 1, key))[1] is None
    assert await run(put % 1, key) == [{"id": key, "n": 1, "at": 1}, None]
    ignoring = (
        "({ ...REQUEST, condition: { ...REQUEST.condition, equalsIgnore: ['at'],"
        " conditionalCheckFailedHandler: { strategy: 'Reject' } } })"
    ).replace("REQUEST", put % 2)
    assert await run(ignoring, key) == [{"id": key, "n": 1, "at": 1}, None]
    remove = "ddb.remove({ key: { id: p }, condition: { id: { attributeExists: true } } })"
    assert (await run(remove, key))[0] == {"id": key, "n": 1, "at": 1}
    assert await run(remove, key) == [None, None]


async def test_comparison_with_the_wanted_state_ignores_set_order_and_number_text(run: Run, key: str) -> None:
    put = (
        "ddb.put({ key: { id: p }, item: { s: ddb.toStringSet([%s]), n: ddb.toNumberSet([%s]), l: [1, { d: 2.50 }] },"
        " condition: { id: { attributeExists: false } } })"
    )
    assert (await run(put % ("'b', 'a'", "1, 2.5"), key))[1] is None
    item, error = await run(put % ("'a', 'b'", "2.5, 1"), key)
    assert (error, sorted(item["s"]), item["l"]) == (None, ["a", "b"], [1, {"d": 2.5}])
    _, error = await run(put % ("'a', 'c'", "2.5, 1"), key)
    assert error["type"] == "DynamoDB:ConditionalCheckFailedException"


async def test_query_pages_filters_and_projects(run: Run, key: str, dynamodb: Any) -> None:
    for number in range(5):
        dynamodb.put_item(
            TableName=HISTORY,
            Item={
                "conversationId": {"S": key},
                "timestamp": {"S": f"2026-01-0{number + 1}"},
                "n": {"N": str(number)},
            },
        )
    query = "ddb.query({ query: { conversationId: { eq: p.key }, timestamp: { ge: '2026-01-02' } }, limit: 3,"
    page, error = await run(query + " scanIndexForward: false })", {"key": key}, HISTORY)
    assert error is None
    assert [item["n"] for item in page["items"]] == [4, 3, 2]
    assert page["scannedCount"] == 3
    rest, _ = await run(
        query + " scanIndexForward: false, nextToken: p.token, filter: { n: { lt: 9 } }, projection: ['n'] })",
        {"key": key, "token": page["nextToken"]},
        HISTORY,
    )
    assert (rest["items"], rest["nextToken"]) == ([{"n": 1}], None)
    _, error = await run(query + " nextToken: 'nonsense' })", {"key": key}, HISTORY)
    assert "nextToken" in error["message"]


async def test_scan_finds_by_filter(run: Run, key: str) -> None:
    await run("ddb.put({ key: { id: p }, item: { mark: p } })", key)
    page, _ = await run("ddb.scan({ filter: { mark: { eq: p } } })", key)
    assert page["items"] == [{"id": key, "mark": key}]


async def test_batch_results_are_in_the_order_of_the_keys(run: Run, key: str) -> None:
    names = {"table": SINGLE, "one": f"{key}-1", "two": f"{key}-2", "none": f"{key}-3"}
    written, _ = await run("ddb.batchPut({ tables: { [p.table]: [{ id: p.one, n: 1 }, { id: p.two, n: 2 }] } })", names)
    assert written["data"][SINGLE] == [{"id": names["one"], "n": 1}, {"id": names["two"], "n": 2}]
    assert written["unprocessedItems"] == {SINGLE: []}
    read, _ = await run(
        "ddb.batchGet({ tables: { [p.table]: { keys: [{ id: p.two }, { id: p.none }, { id: p.one }] } } })", names
    )
    assert read["data"][SINGLE] == [{"id": names["two"], "n": 2}, None, {"id": names["one"], "n": 1}]
    deleted, _ = await run("ddb.batchDelete({ tables: { [p.table]: [{ id: p.one }, { id: p.two }] } })", names)
    assert deleted["data"][SINGLE] == [{"id": names["one"]}, {"id": names["two"]}]
    assert (await run("ddb.get({ key: { id: p.one } })", names)) == [None, None]


async def test_transaction_writes_all_or_nothing_and_returns_the_reasons(run: Run, key: str) -> None:
    names = {"table": SINGLE, "one": f"{key}-1", "two": f"{key}-2", "three": f"{key}-3"}
    write = (
        "ddb.transactWrite({ items: ["
        "{ putItem: { table: p.table, key: { id: p.one }, item: { n: 1 } } },"
        "{ updateItem: { table: p.table, key: { id: p.two }, update: { n: ddb.operations.add(2) } } },"
        "{ conditionCheck: { table: p.table, key: { id: p.three }, condition: { id: { attributeExists: %s } } } }] })"
    )
    result, error = await run(write % "true", names)
    assert error["type"] == "DynamoDB:TransactionCanceledException"
    assert result["keys"] is None
    assert [reason["type"] for reason in result["cancellationReasons"]] == ["None", "None", "ConditionalCheckFailed"]
    assert (await run("ddb.get({ key: { id: p.one } })", names)) == [None, None]

    result, error = await run(write % "false", names)
    assert (error, result) == (None, {"keys": [{"id": names["one"]}, {"id": names["two"]}, {"id": names["three"]}]})
    read, _ = await run(
        "ddb.transactGet({ items: [p.two, p.three].map((id) => ({ table: p.table, key: { id } })) })",
        names,
    )
    assert read == {"items": [{"id": names["two"], "n": 2}, None]}
    _, error = await run(
        "ddb.transactWrite({ items: [{ deleteItem: { table: p.table, key: { id: p.one } } }] })", names
    )
    assert error is None
    assert (await run("ddb.get({ key: { id: p.one } })", names)) == [None, None]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("({ operation: 'Sync' })", "operation 'Sync' is not supported"),
        ("({ operation: 'GetItem' })", "malformed: KeyError 'key'"),
        ("({ operation: 'GetItem', key: { id: 'untyped' } })", "not a typed attribute value"),
        ("({ operation: 'GetItem', key: { id: { X: 1 } } })", "unknown attribute type 'X'"),
        ("ddb.get({ key: { other: 'x' } })", "The provided key element does not match the schema"),
        ("({ operation: 'PutItem', key: { id: { B: '%' } }, attributeValues: {} })", "must be base64 text"),
        ("({ operation: 'PutItem', key: { id: { S: '\\ud800' } }, attributeValues: {} })", "must be UTF-8 text"),
        (
            "({ operation: 'DeleteItem', key: { id: { S: 'x' } },"
            " condition: { conditionalCheckFailedHandler: { strategy: 'Custom', lambdaArn: 'a' } } })",
            "condition.conditionalCheckFailedHandler is not imitated",
        ),
        ("ddb.put({ key: { id: 'x' }, item: {}, _version: 2 })", "_version is not imitated"),
        ("ddb.put({ key: { id: 'x' }, item: {}, customPartitionKey: 'a' })", "customPartitionKey is not imitated"),
        ("ddb.remove({ key: { id: 'x' }, populateIndexFields: true })", "populateIndexFields is not imitated"),
    ],
)
async def test_invalid_request_becomes_a_validation_error(run: Run, expression: str, words: str) -> None:
    result, error = await run(expression)
    assert result is None
    assert error["type"] == "DynamoDB:ValidationException"
    assert words in error["message"]


async def test_unreachable_endpoint_becomes_an_error(unused_tcp_port: int) -> None:
    source = DynamoDbDataSource(
        "T", region="us-east-1", endpoint_url=f"http://127.0.0.1:{unused_tcp_port}", credentials=Credentials("a", "b")
    )
    with pytest.raises(DataSourceError, match="could not be reached") as error:
        await source.execute({"operation": "GetItem", "key": {"id": {"S": "x"}}})
    assert error.value.type == "DynamoDB:SdkClientException"
    source.close()


@pytest.mark.parametrize(
    ("appsync", "wire", "plain"),
    [
        ({"N": 10}, {"N": "10"}, 10),
        ({"N": 1.5}, {"N": "1.5"}, 1.5),
        ({"N": "12345678901234567890"}, {"N": "12345678901234567890"}, 12345678901234567890),
        ({"NULL": None}, {"NULL": True}, None),
        ({"B": base64.b64encode(b"x").decode()}, {"B": b"x"}, "eA=="),
        ({"M": {"a": {"L": [{"BOOL": False}]}}}, {"M": {"a": {"L": [{"BOOL": False}]}}}, {"a": [False]}),
    ],
    ids=lambda value: json.dumps(value, default=repr),
)
def test_values_convert_between_appsync_wire_and_plain_form(appsync: Any, wire: Any, plain: Any) -> None:
    assert to_wire(appsync) == wire
    assert to_plain(wire) == plain
