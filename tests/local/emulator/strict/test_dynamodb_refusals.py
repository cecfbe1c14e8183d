"""What DynamoDB refuses is refused here: sizes, numbers, keys, expressions, batches and transactions.

Sources: Amazon DynamoDB developer guide, 'Service, account, and table quotas', 'Constraints', 'Reserved words' and
'Expressions'; API reference of each operation.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import EmulatorProcess

KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}
Request = dict[str, Any]


@pytest.fixture(scope="module")
def table(emulator: EmulatorProcess) -> Iterator[str]:
    emulator.faults.set_strict({"partitionThroughput": False})
    name = f"refusals-{uuid.uuid4().hex[:8]}"
    client = emulator.aws("dynamodb")
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk", "lane")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "ByLane",
                "KeySchema": [{"AttributeName": "lane", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    client.put_item(TableName=name, Item={**KEY, "count": {"N": "1"}, "a": {"M": {"b": {"S": "x"}}}})
    yield name
    emulator.faults.set_strict({})


def item(**attributes: Any) -> Request:
    return {"Item": {**KEY, **attributes}}


def nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"S": "x"}
    for _ in range(levels):
        value = {"L": [value]}
    return value


def update(expression: str, values: Any = None, names: Any = None, **more: Any) -> Request:
    request: Request = {"Key": KEY, "UpdateExpression": expression, **more}
    return (
        request
        | ({"ExpressionAttributeValues": values} if values else {})
        | ({"ExpressionAttributeNames": names} if names else {})
    )


def query(condition: str, values: Any, **more: Any) -> Request:
    return {"KeyConditionExpression": condition, "ExpressionAttributeValues": values, **more}


PK = {":p": {"S": "a"}}
BIG = "x" * 400 * 1024
REFUSED: list[tuple[str, str, str, Request]] = [
    ("an item above 400 KB", "Item size has exceeded", "PutItem", item(text={"S": BIG})),
    (
        "an update above 400 KB",
        "Item size to update has exceeded",
        "UpdateItem",
        update("SET #t = :t", {":t": {"S": BIG}}, {"#t": "text"}),
    ),
    (
        "an empty partition key",
        "cannot contain an empty string value. Key: pk",
        "PutItem",
        {"Item": {"pk": {"S": ""}, "sk": {"S": "1"}}},
    ),
    (
        "an empty sort key",
        "cannot contain an empty string value. Key: sk",
        "PutItem",
        {"Item": {"pk": {"S": "a"}, "sk": {"S": ""}}},
    ),
    ("an empty key of an index", "IndexName: ByLane, IndexKey: lane", "PutItem", item(lane={"S": ""})),
    ("another type in a key of an index", "Type mismatch for Index Key lane", "PutItem", item(lane={"N": "1"})),
    (
        "an update to an empty key of an index",
        "attempted to update a secondary index key to a value that is not supported",
        "UpdateItem",
        update("SET lane = :s", {":s": {"S": ""}}),
    ),
    ("another type of the key", "Type mismatch for key pk", "PutItem", {"Item": {"pk": {"N": "1"}, "sk": {"S": "1"}}}),
    ("a missing sort key", "Missing the key sk", "PutItem", {"Item": {"pk": {"S": "a"}}}),
    (
        "a partition key above 2,048 bytes",
        "size limit of 2048 bytes",
        "PutItem",
        {"Item": {"pk": {"S": "x" * 2_049}, "sk": {"S": "1"}}},
    ),
    (
        "a sort key above 1,024 bytes",
        "size limit of 1024 bytes",
        "PutItem",
        {"Item": {"pk": {"S": "a"}, "sk": {"S": "x" * 1_025}}},
    ),
    ("an index key above 2,048 bytes", "size limit of 2048 bytes", "PutItem", item(lane={"S": "x" * 2_049})),
    ("a number of 39 digits", "more than 38 significant digits", "PutItem", item(n={"N": "1" * 39})),
    ("a number above 9.9E+125", "Number overflow", "PutItem", item(n={"N": "1E126"})),
    ("a number below 1E-130", "Number underflow", "PutItem", item(n={"N": "1E-131"})),
    ("a text in place of a number", "cannot be converted to a numeric value", "PutItem", item(n={"N": "one"})),
    (
        "a sum that overflows",
        "Number overflow",
        "UpdateItem",
        update("SET n = :a + :b", {":a": {"N": "9E125"}, ":b": {"N": "9E125"}}),
    ),
    ("an empty set", "may not be empty", "PutItem", item(tags={"SS": []})),
    ("a set with a member twice", "contains duplicates", "PutItem", item(tags={"SS": ["a", "a"]})),
    ("33 nested levels", "Nesting Levels", "PutItem", item(deep=nested(33))),
    (
        "a reserved word in an update",
        "reserved keyword: name",
        "UpdateItem",
        update("SET name = :n", {":n": {"S": "x"}}),
    ),
    (
        "a reserved word in a condition",
        "reserved keyword: status",
        "PutItem",
        {**item(), "ConditionExpression": "attribute_not_exists(status)"},
    ),
    (
        "a reserved word in a filter",
        "reserved keyword: ttl",
        "Query",
        query("pk = :p", PK, FilterExpression="attribute_exists(ttl)"),
    ),
    (
        "a reserved word in a projection",
        "reserved keyword: count",
        "GetItem",
        {"Key": KEY, "ProjectionExpression": "pk, count, timestamp"},
    ),
    (
        "an unused value",
        "unused in expressions: keys: {:b}",
        "UpdateItem",
        update("SET a = :a", {":a": {"S": "x"}, ":b": {"S": "x"}}),
    ),
    (
        "an unused name",
        "unused in expressions: keys: {#b}",
        "UpdateItem",
        update("SET a = :a", {":a": {"S": "x"}}, {"#b": "b"}),
    ),
    ("an undefined value", "not defined; attribute value: :a", "UpdateItem", update("SET a = :a")),
    ("an undefined name", "not defined; attribute name: #a", "UpdateItem", update("SET #a = :a", {":a": {"S": "x"}})),
    ("an empty expression", "The expression can not be empty", "UpdateItem", update("")),
    ("an empty name", "at least one character", "UpdateItem", update("SET #a = :a", {":a": {"S": "x"}}, {"#a": ""})),
    (
        "two updates of one path",
        "Two document paths overlap",
        "UpdateItem",
        update("SET a = :a, a.b = :a", {":a": {"S": "x"}}),
    ),
    (
        "SET twice",
        'The "SET" section can only be used once',
        "UpdateItem",
        update("SET a = :a SET c = :a", {":a": {"S": "x"}}),
    ),
    ("an update of a key", "part of the key", "UpdateItem", update("SET sk = :a", {":a": {"S": "x"}})),
    ("ADD of a text", "operator: ADD, operand type: STRING", "UpdateItem", update("ADD a :a", {":a": {"S": "x"}})),
    (
        "a path into a missing map",
        "document path provided in the update expression is invalid",
        "UpdateItem",
        update("SET absent.b = :a", {":a": {"S": "x"}}),
    ),
    (
        "arithmetic on a missing attribute",
        "does not exist in the item",
        "UpdateItem",
        update("SET m = absent + :a", {":a": {"N": "1"}}),
    ),
    (
        "an expression above 4 KB",
        "Expression size has exceeded",
        "UpdateItem",
        update("SET " + ", ".join(f"attribute{number} = :a" for number in range(250)), {":a": {"S": "x"}}),
    ),
    (
        "IN with 101 operands",
        "too many operands",
        "PutItem",
        {
            **item(),
            "ConditionExpression": f"a IN ({', '.join(f':v{number}' for number in range(101))})",
            "ExpressionAttributeValues": {f":v{number}": {"N": str(number)} for number in range(101)},
        },
    ),
    ("a key with another attribute", "does not match the schema", "GetItem", {"Key": {**KEY, "a": {"S": "x"}}}),
    (
        "a consistent read of an index",
        "Consistent reads are not supported",
        "Query",
        query("lane = :p", PK, IndexName="ByLane", ConsistentRead=True),
    ),
    (
        "a consistent scan of an index",
        "Consistent reads are not supported",
        "Scan",
        {"IndexName": "ByLane", "ConsistentRead": True},
    ),
    ("a query without its partition key", "missed key schema element: pk", "Query", query("sk = :p", PK)),
    ("a query with a range of the partition key", "missed key schema element: pk", "Query", query("pk > :p", PK)),
    (
        "a query with two conditions on the sort key",
        "only contain one condition per key",
        "Query",
        query("pk = :p AND sk > :p AND sk < :p", PK),
    ),
    ("a filter on the key", "Primary key attribute: sk", "Query", query("pk = :p", PK, FilterExpression="sk = :p")),
    ("a limit of 0", "greater than or equal to 1", "Query", query("pk = :p", PK, Limit=0)),
    (
        "a page that starts in another partition",
        "starting key",
        "Query",
        query("pk = :p", PK, ExclusiveStartKey={"pk": {"S": "b"}, "sk": {"S": "1"}}),
    ),
    (
        "a page of an index without the table's key",
        "starting key is invalid",
        "Query",
        query("lane = :p", PK, IndexName="ByLane", ExclusiveStartKey={"lane": {"S": "a"}}),
    ),
    (
        "BETWEEN with bounds in reverse",
        "upper bound to be greater",
        "Query",
        query("pk = :p AND sk BETWEEN :b AND :a", {**PK, ":a": {"S": "a"}, ":b": {"S": "b"}}),
    ),
    ("an unknown index", "does not have the specified index", "Query", query("pk = :p", PK, IndexName="Other")),
]


@pytest.mark.parametrize(
    ("said", "operation", "request_"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED]
)
def test_refuses(emulator: EmulatorProcess, table: str, said: str, operation: str, request_: Request) -> None:
    with pytest.raises(ClientError) as caught:
        emulator.aws("dynamodb", checked=False)._make_api_call(operation, {"TableName": table, **request_})
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert said in caught.value.response["Error"]["Message"]


def error(emulator: EmulatorProcess, operation: str, **request: Any) -> str:
    """Return the error code of a call that the client itself does not check; empty where it is accepted."""
    try:
        emulator.aws("dynamodb", checked=False)._make_api_call(operation, request)
    except ClientError as refused:
        return str(refused.response["Error"]["Code"])
    return ""


def keys(count: int) -> list[dict[str, Any]]:
    return [{"pk": {"S": "many"}, "sk": {"S": str(number)}} for number in range(count)]


def puts(table: str, count: int, **attributes: Any) -> list[Request]:
    return [{"Put": {"TableName": table, "Item": {**key, **attributes}}} for key in keys(count)]


def test_batches_have_their_limits(emulator: EmulatorProcess, table: str) -> None:
    def write(requests: list[Request]) -> str:
        return error(emulator, "BatchWriteItem", RequestItems={table: requests})

    def read(wanted: list[Request]) -> str:
        return error(emulator, "BatchGetItem", RequestItems={table: {"Keys": wanted}})

    assert write([{"PutRequest": {"Item": key}} for key in keys(25)]) == ""
    assert write([{"PutRequest": {"Item": key}} for key in keys(26)]) == "ValidationException"
    assert write([{"PutRequest": {"Item": KEY}}, {"DeleteRequest": {"Key": KEY}}]) == "ValidationException"
    assert write([{"PutRequest": {"Item": {**KEY, "text": {"S": BIG}}}}]) == "ValidationException"
    assert write([]) == "ValidationException"
    assert read(keys(100)) == ""
    assert read(keys(101)) == "ValidationException"
    assert read([KEY, KEY]) == "ValidationException"


def test_transactions_have_their_limits(emulator: EmulatorProcess, table: str) -> None:
    def write(actions: list[Request], **more: Any) -> str:
        return error(emulator, "TransactWriteItems", TransactItems=actions, **more)

    assert write(puts(table, 100)) == ""
    assert write(puts(table, 101)) == "ValidationException"
    assert write([*puts(table, 1), *puts(table, 1)]) == "ValidationException"
    assert write(puts(table, 11, text={"S": "x" * 390 * 1024})) == "ValidationException"
    assert write([]) == "ValidationException"
    assert write(puts(table, 1), ClientRequestToken="x" * 37) == "ValidationException"
    assert write(puts(table, 1), ClientRequestToken="token") == ""
    assert write(puts(table, 2), ClientRequestToken="token") == "IdempotentParameterMismatchException"
    assert write(puts(table, 1, text={"S": BIG})) in ("ValidationException", "TransactionCanceledException")
    reads = [{"Get": {"TableName": table, "Key": key}} for key in keys(101)]
    assert error(emulator, "TransactGetItems", TransactItems=reads) == "ValidationException"


def test_a_transaction_of_updates_above_4_mb_is_refused(emulator: EmulatorProcess, table: str) -> None:
    """The items as they will be count, not what the request carries."""
    client = emulator.aws("dynamodb")
    for key in keys(12):
        client.put_item(TableName=table, Item={**key, "text": {"S": "x" * 380 * 1024}})
    actions = [
        {
            "Update": {
                "TableName": table,
                "Key": key,
                "UpdateExpression": "SET n = :n",
                "ExpressionAttributeValues": {":n": {"N": "1"}},
            }
        }
        for key in keys(12)
    ]
    assert error(emulator, "TransactWriteItems", TransactItems=actions) != ""
    reads = [{"Get": {"TableName": table, "Key": key}} for key in keys(12)]
    assert error(emulator, "TransactGetItems", TransactItems=reads) == "ValidationException"


def test_pages_end_at_1_mb_and_batches_at_16_mb(emulator: EmulatorProcess, table: str) -> None:
    client = emulator.aws("dynamodb")
    wanted = [{"pk": {"S": "large"}, "sk": {"S": f"{number:02}"}} for number in range(44)]
    for key in wanted:
        client.put_item(TableName=table, Item={**key, "text": {"S": "x" * 390 * 1024}, "lane": {"S": "large"}})
    condition = query("pk = :p", {":p": {"S": "large"}}, ConsistentRead=True)
    page = client.query(TableName=table, **condition)
    assert len(page["Items"]) == 2
    assert "LastEvaluatedKey" in page
    none = client.query(TableName=table, **{**condition, "FilterExpression": "attribute_exists(absent)"})
    assert (none["Items"], "LastEvaluatedKey" in none) == ([], True)
    batch = client.batch_get_item(RequestItems={table: {"Keys": wanted, "ConsistentRead": True}})
    got, left = len(batch["Responses"][table]), len(batch["UnprocessedKeys"].get(table, {}).get("Keys", []))
    assert got + left == 44
    assert got * 390 <= 16 * 1024


def test_one_table_update_changes_one_index(emulator: EmulatorProcess, table: str) -> None:
    def create(name: str) -> Request:
        return {
            "Create": {
                "IndexName": name,
                "KeySchema": [{"AttributeName": "lane", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        }

    definitions = [{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk", "lane")]
    two = [create("One"), create("Two")]
    request = {"TableName": table, "AttributeDefinitions": definitions, "GlobalSecondaryIndexUpdates": two}
    assert error(emulator, "UpdateTable", **request) == "LimitExceededException"
    mixed = [create("One"), {"Delete": {"IndexName": "ByLane"}}]
    assert error(emulator, "UpdateTable", **{**request, "GlobalSecondaryIndexUpdates": mixed}) in (
        "LimitExceededException",
        "ValidationException",
    )
