"""The stores against strict mode: a single write that meets a running transaction succeeds after it."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from contract.limits import RateLimit
from handlers.adapters.dynamodb.rate_limits import DynamoRateCounter, rate_update
from tests.local.conftest import EmulatorProcess

RATE = RateLimit("any", 5, 10)


def test_single_write_waits_for_a_transaction_on_its_item(emulator: EmulatorProcess) -> None:
    client: Any = emulator.aws("dynamodb")
    table = f"rates-{uuid.uuid4().hex[:8]}"
    client.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    emulator.faults.set_strict({"transactionMilliseconds": 60})
    try:
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(
                client.transact_write_items, TransactItems=[{"Update": rate_update(table, "ana", RATE, 0)}]
            )
            time.sleep(0.02)
            assert DynamoRateCounter(client, table).count("ana", RATE, 0)
            running.result()
    finally:
        emulator.faults.set_strict({})
    (item,) = client.scan(TableName=table)["Items"]
    assert item["count"] == {"N": "2"}
