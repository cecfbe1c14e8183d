"""What ministack's DynamoDB does without the rules of strict mode: why each rule exists.

A test that fails here means that ministack has learned the rule: delete it, or correct what it says of ministack.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from local.emulator.strict.rules.dynamodb import RULES
from tests.local.conftest import EmulatorProcess
from tests.local.strict import SwitchedOff

KEY = {"pk": {"S": "a"}, "sk": {"S": "1"}}
LARGE = {"S": "x" * 390 * 1024}
INDEX = {
    "IndexName": "ByLane",
    "KeySchema": [{"AttributeName": "lane", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
ATTRIBUTES = [{"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk", "lane")]


class Target:
    """A table with an index, and a client that does not check requests."""

    def __init__(self, emulator: EmulatorProcess) -> None:
        self.client = emulator.aws("dynamodb", checked=False)
        self.name = f"alone-{uuid.uuid4().hex[:8]}"
        self.client.create_table(
            TableName=self.name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=ATTRIBUTES,
            GlobalSecondaryIndexes=[INDEX],
            BillingMode="PAY_PER_REQUEST",
        )

    def put(self, **attributes: Any) -> None:
        self.client.put_item(TableName=self.name, Item={**KEY, **attributes})

    def fill(self, count: int) -> list[dict[str, Any]]:
        """Store large items; return their keys."""
        keys = [{"pk": {"S": "large"}, "sk": {"S": f"{number:02}"}} for number in range(count)]
        for key in keys:
            self.client.put_item(TableName=self.name, Item={**key, "text": LARGE})
        return keys


@pytest.fixture
def target(emulator: EmulatorProcess) -> Iterator[Target]:
    with SwitchedOff(emulator, RULES):
        yield Target(emulator)


def transaction_conflicts(target: Target) -> None:
    action = {"Put": {"TableName": target.name, "Item": KEY}}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: target.client.transact_write_items(TransactItems=[action]), range(16)))


def partition_throughput(target: Target) -> None:
    for _ in range(4):  # 390 units each, of 1,000 a second
        target.put(text=LARGE)


def index_lag(target: Target) -> None:
    target.put(lane={"S": "one"})
    found = target.client.query(
        TableName=target.name,
        IndexName="ByLane",
        KeyConditionExpression="lane = :l",
        ExpressionAttributeValues={":l": {"S": "one"}},
    )
    assert found["Count"] == 1


def stale_reads(target: Target) -> None:
    target.put()
    assert "Item" in target.client.get_item(TableName=target.name, Key=KEY)


def transaction_size(target: Target) -> None:
    reads = [{"Get": {"TableName": target.name, "Key": key}} for key in target.fill(12)]
    assert len(target.client.transact_get_items(TransactItems=reads)["Responses"]) == 12


def batch_size(target: Target) -> None:
    batch = target.client.batch_get_item(RequestItems={target.name: {"Keys": target.fill(43)}})
    assert len(batch["Responses"][target.name]) == 43


def expression_limits(target: Target) -> None:
    target.client.update_item(
        TableName=target.name,
        Key=KEY,
        UpdateExpression="SET a = :a SET b = :a",
        ExpressionAttributeValues={":a": {"S": "x"}},
    )


def index_key_sizes(target: Target) -> None:
    target.put(lane={"S": "x" * 2_049})


def single_index_change(target: Target) -> None:
    creations = [{"Create": {**INDEX, "IndexName": name}} for name in ("One", "Two")]
    target.client.update_table(
        TableName=target.name, AttributeDefinitions=ATTRIBUTES, GlobalSecondaryIndexUpdates=creations
    )


ALONE: Final[dict[str, Callable[[Target], None]]] = {
    each.__name__: each
    for each in (
        transaction_conflicts,
        partition_throughput,
        index_lag,
        stale_reads,
        transaction_size,
        batch_size,
        expression_limits,
        index_key_sizes,
        single_index_change,
    )
}


@pytest.mark.parametrize("rule", [rule.field for rule in RULES])
def test_ministack_alone_accepts(target: Target, rule: str) -> None:
    ALONE[rule](target)
