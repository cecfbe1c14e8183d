"""Strict mode: indexes and eventually consistent reads show a write after a lag."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.local.conftest import EmulatorProcess

LAG = {"lagLeastMilliseconds": 400, "lagMostMilliseconds": 400}
"""Longer than a few requests take, also under load."""
KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}
NEW = {**KEY, "lane": {"S": "one"}}


@pytest.fixture
def table(emulator: EmulatorProcess) -> Iterator[str]:
    name = f"reads-{uuid.uuid4().hex[:8]}"
    emulator.aws("dynamodb").create_table(
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
    emulator.faults.set_strict(LAG)
    yield name
    emulator.faults.set_strict({})


def in_index(client: Any, table: str) -> list[str]:
    page = client.query(
        TableName=table,
        IndexName="ByLane",
        KeyConditionExpression="lane = :s",
        ExpressionAttributeValues={":s": {"S": "one"}},
    )
    return sorted(item["sk"]["S"] for item in page["Items"])


def in_table(client: Any, table: str, *, consistent: bool) -> list[int]:
    """Return how many items each kind of read finds: GetItem, Query, Scan and BatchGetItem."""
    option = {"ConsistentRead": consistent}
    query = {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": KEY["pk"]}}
    batch = client.batch_get_item(RequestItems={table: {"Keys": [KEY], **option}})
    return [
        len([1 for _ in [client.get_item(TableName=table, Key=KEY, **option).get("Item")] if _]),
        client.query(TableName=table, **query, **option)["Count"],
        client.scan(TableName=table, **option)["Count"],
        len(batch["Responses"][table]),
    ]


def eventually(read: Callable[[], Any], expected: Any) -> None:
    deadline = time.monotonic() + 10
    while read() != expected:
        assert time.monotonic() < deadline, read()
        time.sleep(0.05)


def test_an_index_shows_a_write_and_a_deletion_after_the_lag(emulator: EmulatorProcess, table: str) -> None:
    client = emulator.aws("dynamodb")
    client.put_item(TableName=table, Item=NEW)
    assert in_index(client, table) == []
    eventually(lambda: in_index(client, table), ["1"])
    client.delete_item(TableName=table, Key=KEY)
    assert in_index(client, table) == ["1"]
    eventually(lambda: in_index(client, table), [])


def test_an_index_lags_behind_transactions_and_batches(emulator: EmulatorProcess, table: str) -> None:
    client = emulator.aws("dynamodb")
    client.transact_write_items(TransactItems=[{"Put": {"TableName": table, "Item": NEW}}])
    client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": {**NEW, "sk": {"S": "2"}}}}]})
    assert in_index(client, table) == []
    eventually(lambda: in_index(client, table), ["1", "2"])


def test_eventually_consistent_reads_return_the_state_before_a_write(emulator: EmulatorProcess, table: str) -> None:
    client = emulator.aws("dynamodb")
    client.put_item(TableName=table, Item=KEY)
    assert in_table(client, table, consistent=False) == [0, 0, 0, 0]
    assert in_table(client, table, consistent=True) == [1, 1, 1, 1]
    read = client.transact_get_items(TransactItems=[{"Get": {"TableName": table, "Key": KEY}}])
    assert read["Responses"] == [{"Item": KEY}]
    eventually(lambda: in_table(client, table, consistent=False), [1, 1, 1, 1])


def test_an_update_is_read_as_it_was_before(emulator: EmulatorProcess, table: str) -> None:
    client = emulator.aws("dynamodb")
    client.put_item(TableName=table, Item={**KEY, "number": {"N": "1"}})
    eventually(lambda: in_table(client, table, consistent=False), [1, 1, 1, 1])
    client.update_item(
        TableName=table,
        Key=KEY,
        UpdateExpression="ADD #n :one",
        ExpressionAttributeNames={"#n": "number"},
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    assert client.get_item(TableName=table, Key=KEY)["Item"]["number"] == {"N": "1"}
    assert client.get_item(TableName=table, Key=KEY, ConsistentRead=True)["Item"]["number"] == {"N": "2"}
    eventually(lambda: client.get_item(TableName=table, Key=KEY)["Item"]["number"], {"N": "2"})


def test_writes_of_different_items_can_show_in_another_order(emulator: EmulatorProcess, table: str) -> None:
    emulator.faults.set_strict({"lagLeastMilliseconds": 0, "lagMostMilliseconds": 3_000})
    client = emulator.aws("dynamodb")
    for number in range(20):
        client.put_item(TableName=table, Item={**NEW, "sk": {"S": f"{number:02}"}})
    seen: list[list[str]] = []
    eventually(lambda: seen.append(in_index(client, table)) or len(seen[-1]), 20)  # type: ignore[func-returns-value]
    everything = [f"{number:02}" for number in range(20)]
    assert any(page != everything[: len(page)] for page in seen)


def test_without_the_rules_reads_are_current(emulator: EmulatorProcess, table: str) -> None:
    emulator.faults.set_strict({**LAG, "indexLag": False})
    client = emulator.aws("dynamodb")
    client.put_item(TableName=table, Item=NEW)
    assert (in_index(client, table), in_table(client, table, consistent=False)[0]) == (["1"], 0)
    emulator.faults.set_strict({**LAG, "staleReads": False})
    client.delete_item(TableName=table, Key=KEY)
    assert (in_index(client, table), in_table(client, table, consistent=False)[0]) == (["1"], 0)


def test_what_lagged_is_shown_after_a_crash(new_emulator: Callable[..., EmulatorProcess]) -> None:
    emulator = new_emulator()
    emulator.faults.set_strict(LAG)
    client = emulator.aws("dynamodb")
    emulator.table("kept")
    client.put_item(TableName="kept", Item=KEY)
    assert in_table(client, "kept", consistent=False)[0] == 0
    emulator.restart_after_crash()
    client = emulator.aws("dynamodb")
    assert in_table(client, "kept", consistent=True)[0] == 1
    eventually(lambda: in_table(client, "kept", consistent=False)[0], 1)
