"""Strict mode: DynamoDB conflicts, throttles and refuses as AWS documents it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import EmulatorProcess

KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}
OTHER_KEY = {"pk": {"S": "a"}, "sk": {"S": "2"}}
LONG = {"transactionMilliseconds": 400}
"""A transaction that takes longer than it takes to send a second request."""


@pytest.fixture
def table(emulator: EmulatorProcess) -> Iterator[str]:
    name = f"strict-{uuid.uuid4().hex[:8]}"
    emulator.aws("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk", "shard")],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "ByShard",
                "KeySchema": [{"AttributeName": "shard", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    yield name
    emulator.faults.set_strict({})


def put(table: str, key: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": {**key, **attributes}}}


def code(call: Callable[..., Any], **request: Any) -> str:
    try:
        call(**request)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def during_a_transaction(emulator: EmulatorProcess, table: str, second: Callable[[Any], Any]) -> Any:
    """Run a call while a transaction on `KEY` runs; return the call's result."""
    emulator.faults.set_strict(LONG)
    client = emulator.aws("dynamodb")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(client.transact_write_items, TransactItems=[put(table, KEY)])
        time.sleep(0.1)  # the first request is with the emulator, and holds its item for 0.4 s
        try:
            return second(emulator.aws("dynamodb"))
        finally:
            first.result()


def test_two_transactions_on_one_item_conflict(emulator: EmulatorProcess, table: str) -> None:
    def second(client: Any) -> Any:
        with pytest.raises(ClientError) as caught:
            client.transact_write_items(TransactItems=[put(table, OTHER_KEY), put(table, KEY)])
        return caught.value.response

    response = during_a_transaction(emulator, table, second)
    assert response["Error"]["Code"] == "TransactionCanceledException"
    assert [reason["Code"] for reason in response["CancellationReasons"]] == ["None", "TransactionConflict"]


@pytest.mark.parametrize("operation", ["put_item", "update_item", "delete_item"])
def test_a_single_write_on_an_item_of_a_running_transaction_is_refused(
    emulator: EmulatorProcess, table: str, operation: str
) -> None:
    request: dict[str, Any] = {"Item": KEY} if operation == "put_item" else {"Key": KEY}
    refused = during_a_transaction(
        emulator, table, lambda client: code(getattr(client, operation), TableName=table, **request)
    )
    assert refused == "TransactionConflictException"


def test_a_transactional_read_of_an_item_of_a_running_transaction_is_cancelled(
    emulator: EmulatorProcess, table: str
) -> None:
    read = [{"Get": {"TableName": table, "Key": KEY}}]
    assert (
        during_a_transaction(emulator, table, lambda client: code(client.transact_get_items, TransactItems=read))
        == "TransactionCanceledException"
    )


def test_other_items_and_plain_reads_do_not_conflict(emulator: EmulatorProcess, table: str) -> None:
    def second(client: Any) -> list[str]:
        return [
            code(client.transact_write_items, TransactItems=[put(table, OTHER_KEY)]),
            code(client.get_item, TableName=table, Key=KEY, ConsistentRead=True),
        ]

    assert during_a_transaction(emulator, table, second) == ["", ""]


def test_without_the_rule_transactions_do_not_conflict(emulator: EmulatorProcess, table: str) -> None:
    emulator.faults.set_strict({"transactionConflicts": False})
    client = emulator.aws("dynamodb")
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: code(client.transact_write_items, TransactItems=[put(table, KEY)]), range(8)))
    assert codes == [""] * 8


def test_a_partition_takes_its_write_units_and_no_more(emulator: EmulatorProcess, table: str) -> None:
    emulator.faults.set_strict({"throughputScale": 0.01})  # 10 units a second
    client = emulator.aws("dynamodb")
    item = {**KEY, "text": {"S": "x" * 9_000}}
    assert code(client.put_item, TableName=table, Item=item) == ""
    assert code(client.put_item, TableName=table, Item=item) == ""
    assert code(client.put_item, TableName=table, Item=item) == "ProvisionedThroughputExceededException"
    assert code(client.put_item, TableName=table, Item={**item, "pk": {"S": "another"}}) == ""


def test_a_throttled_index_refuses_the_write_of_its_table(emulator: EmulatorProcess, table: str) -> None:
    emulator.faults.set_strict({"throughputScale": 0.001})  # 1 unit a second
    client = emulator.aws("dynamodb")
    items = [{"pk": {"S": f"{number}" * 2_000}, "sk": {"S": "x" * 1_000}, "shard": {"S": "one"}} for number in "ab"]
    codes = [code(client.put_item, TableName=table, Item=item) for item in items]  # 3 units of the index each
    assert codes == ["", "ProvisionedThroughputExceededException"]


def test_a_transaction_beyond_the_throughput_of_a_partition_names_the_action(
    emulator: EmulatorProcess, table: str
) -> None:
    emulator.faults.set_strict({"throughputScale": 0.01})
    client = emulator.aws("dynamodb")
    client.put_item(TableName=table, Item={**KEY, "text": {"S": "x" * 30_000}})
    with pytest.raises(ClientError) as caught:
        client.transact_write_items(TransactItems=[put(table, {"pk": {"S": "b"}, "sk": {"S": "1"}}), put(table, KEY)])
    assert [reason["Code"] for reason in caught.value.response["CancellationReasons"]] == ["None", "ThrottlingError"]


def test_a_partition_takes_its_read_units_and_no_more(emulator: EmulatorProcess, table: str) -> None:
    client = emulator.aws("dynamodb")
    client.put_item(TableName=table, Item={**KEY, "text": {"S": "x" * 100_000}})
    emulator.faults.set_strict({"throughputScale": 0.01})  # 30 units a second
    read = {"TableName": table, "Key": KEY, "ConsistentRead": True}
    codes = [code(client.get_item, **read) for _ in range(3)]
    assert codes == ["", "", "ProvisionedThroughputExceededException"]
