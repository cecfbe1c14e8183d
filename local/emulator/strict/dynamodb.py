"""DynamoDB under strict rules: conflicts of transactions, and the throughput of partitions."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final

from local.emulator.strict.conflicts import HeldItems
from local.emulator.strict.items import (
    READ_UNIT_BYTES,
    SINGLE_WRITES,
    Item,
    Partition,
    actions,
    key_of,
    read_partition,
    stored,
    touched,
    write_partitions,
)
from local.emulator.strict.rules import READ_UNITS_PER_PARTITION, WRITE_UNITS_PER_PARTITION, StrictRules
from local.emulator.strict.throughput import Throughput

Response = tuple[int, dict[str, str], Any]
_TRANSACTIONS: Final = frozenset({"TransactWriteItems", "TransactGetItems"})
_READS: Final = frozenset({"GetItem", "Query"})
_THROTTLED: Final = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)


class StrictDynamoDb:
    """Applies the rules around each DynamoDB request. Used from the event loop only.

    Args:
        rules: which are on.
        clock: seconds, steadily growing.
        pause: waits some seconds.
        on_write: called with each partition that a successful write reaches, and its write units there.
    """

    def __init__(
        self,
        rules: StrictRules,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_write: Callable[[Partition, int], None] = lambda partition, units: None,
    ) -> None:
        self._clock = clock
        self._pause = pause
        self._on_write = on_write
        self._held = HeldItems()
        self.use(rules)

    def use(self, rules: StrictRules) -> None:
        """Replace the rules; what was used of a partition is forgotten."""
        self.rules = rules
        self._writes = Throughput(WRITE_UNITS_PER_PARTITION * rules.throughput_scale, self._clock)
        self._reads = Throughput(READ_UNITS_PER_PARTITION * rules.throughput_scale, self._clock)

    async def around(self, operation: str, body: bytes, dispatch: Callable[[], Awaitable[Response]]) -> Response:
        """Run one request, or refuse it as AWS does.

        Args:
            operation: for example `PutItem`.
            body: the request as JSON.
            dispatch: runs the request.
        """
        request = _decoded(body)
        if request is None:
            return await dispatch()
        items = touched(operation, request)
        refusal = self._conflict(operation, items) or self._throttled(operation, request, items)
        if refusal is not None:
            return refusal
        if operation == "TransactWriteItems" and self.rules.transaction_conflicts:
            with self._held.hold(items):
                await self._pause(self.rules.transaction_milliseconds / 1000)
                return await self._charged(operation, request, dispatch)
        return await self._charged(operation, request, dispatch)

    def _conflict(self, operation: str, items: list[Item]) -> Response | None:
        if not self.rules.transaction_conflicts:
            return None
        conflicts = self._held.conflicts(items)
        if not any(conflicts):
            return None
        if operation in _TRANSACTIONS:
            return _cancelled("TransactionConflict", conflicts, "Transaction is ongoing for the item")
        return _error("TransactionConflictException", "Transaction is ongoing for the item")

    def _throttled(self, operation: str, request: dict[str, Any], items: list[Item]) -> Response | None:
        if not self.rules.partition_throughput:
            return None
        if operation == "TransactWriteItems":
            full = [self._writes.exhausted(_planned(action)) for action in actions(request)]
            if any(full):
                return _cancelled("ThrottlingError", full, "Throughput exceeds the current capacity of your table")
        elif operation in SINGLE_WRITES and self._writes.exhausted(_planned(request)):
            return _error("ProvisionedThroughputExceededException", _THROTTLED)
        elif operation in _READS:
            read = read_partition(request, 0)
            if read is not None and self._reads.exhausted([read[0]]):
                return _error("ProvisionedThroughputExceededException", _THROTTLED)
        return None

    async def _charged(
        self, operation: str, request: dict[str, Any], dispatch: Callable[[], Awaitable[Response]]
    ) -> Response:
        """Run the request, and take what it cost from its partitions."""
        if not self.rules.partition_throughput:
            return await dispatch()
        written = actions(request) if operation == "TransactWriteItems" else [request]
        writes = operation == "TransactWriteItems" or operation in SINGLE_WRITES
        before = [_stored(action) for action in written] if writes else []
        response = await dispatch()
        if writes and response[0] < 400:
            for action, old in zip(written, before, strict=True):
                transactional = operation == "TransactWriteItems"
                after = _stored(action)
                for partition, units in write_partitions(_table(action), old, after, transactional=transactional):
                    self._writes.charge(partition, units)
                    self._on_write(partition, units)
        elif operation in _READS and response[0] < 400:
            self._charge_read(request, response)
        return response

    def _charge_read(self, request: dict[str, Any], response: Response) -> None:
        consistent = 1.0 if request.get("ConsistentRead") else 0.5
        read = read_partition(request, max(1.0, len(response[2]) / READ_UNIT_BYTES) * consistent)
        if read is not None:
            self._reads.charge(*read)


def _planned(action: dict[str, Any]) -> list[Partition]:
    """Return the partitions that a write is about to reach, as far as its request says."""
    old = _stored(action)
    new = action.get("Item") or old or action.get("Key")
    return [partition for partition, _ in write_partitions(_table(action), old, new, transactional=False)]


def _stored(action: dict[str, Any]) -> dict[str, Any] | None:
    source = action.get("Item") or action.get("Key") or {}
    found = stored(_table(action), key_of(_table(action), source))
    return dict(found) if found else None


def _table(action: dict[str, Any]) -> str:
    return str(action.get("TableName", "")).rsplit("/", 1)[-1]


def _decoded(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _cancelled(code: str, hit: list[bool], message: str) -> Response:
    reasons = [{"Code": code, "Message": message} if each else {"Code": "None"} for each in hit]
    codes = ", ".join(reason["Code"] for reason in reasons)
    text = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return _error("TransactionCanceledException", text, CancellationReasons=reasons)


def _error(code: str, message: str, **members: Any) -> Response:
    request_id = str(uuid.uuid4())
    document = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message, "Message": message, **members}
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-ErrorType": code, "x-amzn-requestid": request_id}
    return 400, headers, json.dumps(document).encode()
