"""A DynamoDB client in virtual time: the emulator's tables under strict rules, in this process.

A request takes 3 ms, a transaction 12 ms, in which it holds its items. Written units are counted by operation.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final

from botocore.exceptions import ClientError
from ministack.services import dynamodb

from bench.functions.virtual_time import VirtualTime
from contract.tables import TABLES, Key, Table
from local.emulator.strict.dynamodb import StrictDynamoDb
from local.emulator.strict.dynamodb.items import Partition
from local.emulator.strict.rules import DEFAULT
from local.emulator.strict.rules.dynamodb import DynamoDbSwitches

REQUEST_SECONDS: Final = 0.003
ENVIRONMENT: Final = "crowd"


class VirtualDynamoDb:
    """A client like botocore's, for the threads of a `VirtualTime`.

    Args:
        time: whose threads use it.
        request_seconds: duration of a request that is no transaction.
        rules: the strict rules, with the duration of a transaction.

    Attributes:
        requests: number of requests by operation.
        units: write units by table or index.
    """

    def __init__(
        self, time: VirtualTime, request_seconds: float = REQUEST_SECONDS, rules: DynamoDbSwitches = DEFAULT.dynamodb
    ) -> None:
        self.requests: Counter[str] = Counter()
        self.units: Counter[str] = Counter()
        self._time = time

        async def pause(seconds: float) -> None:
            time.sleep(seconds)

        def count(partition: Partition, units: int) -> None:
            self.units[f"{partition.table}/{partition.index_name}".rstrip("/")] += units

        self._request_seconds = request_seconds
        self._strict = StrictDynamoDb(rules, lambda: time.now, pause, count)
        dynamodb._tables.clear()
        for table in TABLES:
            _run(dynamodb.handle_request("POST", "/", _headers("CreateTable"), _definition(table), {}))

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """Return an operation of DynamoDB."""
        operation = "".join(part.title() for part in name.split("_"))

        def call(**parameters: Any) -> dict[str, Any]:
            self.requests[operation] += 1
            body = json.dumps(parameters).encode()

            async def serve(content: bytes) -> Any:
                return await dynamodb.handle_request("POST", "/", _headers(operation), content, {})

            if operation != "TransactWriteItems":
                self._time.sleep(self._request_seconds)
            status, _, content = _run(self._strict.around(operation, body, serve))
            answer: dict[str, Any] = json.loads(content or b"{}")
            if status < 400:
                return answer
            code = re.split("[#:]", str(answer.get("__type", "")))[-1]
            raise ClientError({"Error": {"Code": code, "Message": str(answer.get("message"))}, **answer}, operation)

        return call


def put(table: Table, item: dict[str, Any]) -> None:
    """Store an item, in no time."""
    body = json.dumps({"TableName": table.name(ENVIRONMENT), "Item": item}).encode()
    status, _, content = _run(dynamodb.handle_request("POST", "/", _headers("PutItem"), body, {}))
    if status >= 400:
        raise RuntimeError(content)


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never waits for the event loop."""
    try:
        coroutine.send(None)
    except StopIteration as stopped:
        return stopped.value
    raise RuntimeError("the request waits for an event loop")


def _headers(operation: str) -> dict[str, str]:
    return {"x-amz-target": f"DynamoDB_20120810.{operation}"}


def _definition(table: Table) -> bytes:
    keys = {key.name: key for key in (table.partition, table.sort) if key}
    keys |= {key.name: key for index in table.indexes for key in (index.partition, index.sort) if key}
    definition: dict[str, Any] = {
        "TableName": table.name(ENVIRONMENT),
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _schema(table.partition, table.sort),
        "AttributeDefinitions": [{"AttributeName": key.name, "AttributeType": key.type} for key in keys.values()],
    }
    if table.indexes:
        definition["GlobalSecondaryIndexes"] = [
            {
                "IndexName": index.name,
                "KeySchema": _schema(index.partition, index.sort),
                "Projection": {"ProjectionType": index.projection},
            }
            for index in table.indexes
        ]
    return json.dumps(definition).encode()


def _schema(partition: Key, sort: Key | None) -> list[dict[str, str]]:
    schema = [{"AttributeName": partition.name, "KeyType": "HASH"}]
    return [*schema, {"AttributeName": sort.name, "KeyType": "RANGE"}] if sort else schema
