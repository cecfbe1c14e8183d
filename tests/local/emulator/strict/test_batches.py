"""Strict mode: of a batch, what is throttled or part of a running transaction is returned as unprocessed."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import EmulatorProcess

FREE, USED = {"pk": {"S": "free"}, "sk": {"S": "1"}}, {"pk": {"S": "used"}, "sk": {"S": "1"}}


@pytest.fixture
def table(emulator: EmulatorProcess) -> Iterator[str]:
    name = f"batches-{uuid.uuid4().hex[:8]}"
    emulator.table(name)
    yield name
    emulator.faults.set_strict({})


def write(client: Any, table: str, *items: dict[str, Any]) -> list[dict[str, Any]]:
    """Write a batch; return its unprocessed items."""
    answer = client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": item}} for item in items]})
    return [each["PutRequest"]["Item"] for each in answer["UnprocessedItems"].get(table, [])]


def read(client: Any, table: str, *keys: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    """Read a batch; return the number of items and the unprocessed keys."""
    answer = client.batch_get_item(RequestItems={table: {"Keys": list(keys), "ConsistentRead": True}})
    left = answer["UnprocessedKeys"].get(table, {"Keys": [], "ConsistentRead": True})
    assert left["ConsistentRead"] is True
    return len(answer["Responses"].get(table, [])), left["Keys"]


def test_throttled_writes_of_a_batch_are_unprocessed(emulator: EmulatorProcess, table: str) -> None:
    emulator.faults.set_strict({"throughputScale": 0.001})  # 1 unit a second
    client = emulator.aws("dynamodb")
    client.put_item(TableName=table, Item={**USED, "text": {"S": "x" * 50_000}})
    assert write(client, table, USED, FREE) == [USED]
    assert client.get_item(TableName=table, Key=FREE, ConsistentRead=True)["Item"] == FREE
    with pytest.raises(ClientError, match="ProvisionedThroughputExceededException"):
        write(client, table, USED)


def test_a_batch_of_writes_uses_the_units_of_its_partitions(emulator: EmulatorProcess, table: str) -> None:
    emulator.faults.set_strict({"throughputScale": 0.001})
    client = emulator.aws("dynamodb")
    assert write(client, table, {**USED, "text": {"S": "x" * 50_000}}) == []
    with pytest.raises(ClientError, match="ProvisionedThroughputExceededException"):
        client.put_item(TableName=table, Item=USED)


def test_throttled_reads_of_a_batch_are_unprocessed(emulator: EmulatorProcess, table: str) -> None:
    client = emulator.aws("dynamodb")
    for key in (USED, FREE):
        client.put_item(TableName=table, Item={**key, "text": {"S": "x" * 200_000}})
    emulator.faults.set_strict({"throughputScale": 0.001})  # 3 units a second
    assert read(client, table, USED) == (1, [])
    assert read(client, table, USED, FREE) == (1, [USED])
    with pytest.raises(ClientError, match="ProvisionedThroughputExceededException"):
        read(client, table, USED, FREE)


def test_transactional_reads_use_the_units_of_their_partitions(emulator: EmulatorProcess, table: str) -> None:
    client = emulator.aws("dynamodb")
    client.put_item(TableName=table, Item={**USED, "text": {"S": "x" * 200_000}})
    emulator.faults.set_strict({"throughputScale": 0.001})
    actions = [{"Get": {"TableName": table, "Key": key}} for key in (FREE, USED)]
    client.transact_get_items(TransactItems=actions)
    with pytest.raises(ClientError) as caught:
        client.transact_get_items(TransactItems=actions)
    assert [reason["Code"] for reason in caught.value.response["CancellationReasons"]] == ["None", "ThrottlingError"]


def test_a_batched_write_on_an_item_of_a_running_transaction_is_unprocessed(
    emulator: EmulatorProcess, table: str
) -> None:
    emulator.faults.set_strict({"transactionMilliseconds": 400})
    client = emulator.aws("dynamodb")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(client.transact_write_items, TransactItems=[{"Put": {"TableName": table, "Item": USED}}])
        time.sleep(0.1)  # the transaction is with the emulator, and holds its item for 0.4 s
        assert write(emulator.aws("dynamodb"), table, USED, FREE) == [USED]
        running.result()
