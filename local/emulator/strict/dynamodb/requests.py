"""DynamoDB under strict rules: refusals, conflicts of transactions, throughput of partitions, and lagging reads."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from ministack.services import dynamodb

from local.emulator.strict.dynamodb.answers import Response, cancelled, error
from local.emulator.strict.dynamodb.batches import BATCHES, Serve, beyond_the_size, execute_some, parts_of
from local.emulator.strict.dynamodb.conflicts import HeldItems
from local.emulator.strict.dynamodb.items import SINGLE_WRITES, Item, actions, item_of, stored_version, touched
from local.emulator.strict.dynamodb.refusals import long_index_key, refused
from local.emulator.strict.dynamodb.replicas import Replicas
from local.emulator.strict.dynamodb.units import OnWrite, Units
from local.emulator.strict.rules.dynamodb import DynamoDbSwitches

_TRANSACTIONS: Final = frozenset({"TransactWriteItems", "TransactGetItems"})


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
        rules: DynamoDbSwitches,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_write: OnWrite = lambda partition, units: None,
    ) -> None:
        self._clock = clock
        self._on_write = on_write
        self._pause = pause
        self._held = HeldItems()
        self._replicas = Replicas(rules, clock)
        self.use(rules)

    def install(self) -> None:
        """Follow the writes of ministack, and check the keys of indexes; call it once in a process."""
        self._replicas.install()
        index_key_problem = dynamodb._index_key_empty_reason

        def checked(table: dict[str, Any], item: dict[str, Any], update_expr: bool = False) -> str | None:
            problem: str | None = index_key_problem(table, item, update_expr=update_expr)
            return problem or (long_index_key(table, item) if self.rules.index_key_sizes else None)

        dynamodb._index_key_empty_reason = checked

    def use(self, rules: DynamoDbSwitches) -> None:
        """Replace the rules; what was used of a partition is forgotten."""
        self.rules = rules
        self.units = Units(rules, self._clock, self._on_write)
        self._replicas.use(rules)

    async def around(self, operation: str, body: bytes, serve: Serve) -> Response:
        """Run one request, or refuse it as AWS does.

        Args:
            operation: for example `PutItem`.
            body: the request as JSON.
            serve: runs a request with a body.
        """
        request = _decoded(body)
        if request is None:
            return await serve(body)
        items = touched(operation, request)
        refusal = refused(operation, request, self.rules) or self._conflict(operation, items)
        if refusal is None and self.rules.partition_throughput:
            refusal = self.units.refusal(operation, request)
        if refusal is not None:
            return refusal
        if operation == "TransactWriteItems" and self.rules.transaction_conflicts:
            with self._held.hold(items):
                await self._pause(self.rules.transaction_milliseconds / 1000)
                return await self._charged(operation, request, lambda: serve(body))
        with self._replicas.reading(operation, request):
            if operation in BATCHES:
                return await self._batch(operation, request, body, serve)
            return await self._charged(operation, request, lambda: serve(body))

    def _conflict(self, operation: str, items: list[Item]) -> Response | None:
        if not self.rules.transaction_conflicts:
            return None
        conflicts = self._held.conflicts(items)
        if not any(conflicts):
            return None
        if operation in _TRANSACTIONS:
            return cancelled("TransactionConflict", conflicts, "Transaction is ongoing for the item")
        return error("TransactionConflictException", "Transaction is ongoing for the item")

    async def _batch(self, operation: str, request: dict[str, Any], body: bytes, serve: Serve) -> Response:
        """Run what a batch may execute now."""
        try:
            parts = parts_of(operation, request)
        except (AttributeError, TypeError):
            return await serve(body)  # not a batch that ministack accepts
        left_out = [self._waits(operation, part) for part in parts]
        if operation == "BatchGetItem" and self.rules.batch_size:
            left_out = [waits or beyond for waits, beyond in zip(left_out, beyond_the_size(request), strict=True)]
        before = [stored_version(part) for part in parts]
        answer = await (execute_some(operation, request, left_out, serve) if any(left_out) else serve(body))
        if answer[0] < 400 and self.rules.partition_throughput:
            for part, old, waits in zip(parts, before, left_out, strict=True):
                if waits:
                    continue
                if operation == "BatchWriteItem":
                    self.units.charge_write(part, old, transactional=False)
                else:
                    self.units.charge_item_read(operation, part)
        return answer

    def _waits(self, operation: str, part: dict[str, Any]) -> bool:
        """Return whether a part of a batch cannot be executed now."""
        if operation == "BatchGetItem":
            return self.rules.partition_throughput and self.units.read_is_throttled(part)
        if self.rules.transaction_conflicts and any(self._held.conflicts([item_of(part)])):
            return True
        return self.rules.partition_throughput and self.units.write_is_throttled(part)

    async def _charged(
        self, operation: str, request: dict[str, Any], run: Callable[[], Awaitable[Response]]
    ) -> Response:
        """Run the request, and take what it cost from its partitions."""
        if not self.rules.partition_throughput:
            return await run()
        transactional = operation in _TRANSACTIONS
        parts = actions(request) if transactional else [request]
        writes = operation == "TransactWriteItems" or operation in SINGLE_WRITES
        before = [stored_version(part) for part in parts] if writes else []
        response = await run()
        if response[0] >= 400:
            return response
        if writes:
            for part, old in zip(parts, before, strict=True):
                self.units.charge_write(part, old, transactional=transactional)
        elif operation == "TransactGetItems":
            for part in parts:
                self.units.charge_item_read(operation, part)
        elif operation in ("GetItem", "Query"):
            self.units.charge_read(operation, request, len(response[2]))
        return response


def _decoded(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
