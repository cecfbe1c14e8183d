"""Requests that DynamoDB refuses and ministack accepts."""

from __future__ import annotations

from typing import Any, Final

from local.emulator.strict.dynamodb.answers import Response, error
from local.emulator.strict.dynamodb.expressions import expression_problems
from local.emulator.strict.dynamodb.items import actions, size_of, stored_version
from local.emulator.strict.rules.dynamodb import DynamoDbSwitches

TRANSACTION_BYTES: Final = 4 * 1024 * 1024
PARTITION_KEY_BYTES: Final = 2_048
SORT_KEY_BYTES: Final = 1_024
_UPDATES: Final = "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table"


def refused(operation: str, request: dict[str, Any], rules: DynamoDbSwitches) -> Response | None:
    """Return AWS's answer to a request that it does not accept; None for other requests."""
    transaction = operation in ("TransactWriteItems", "TransactGetItems")
    parts = actions(request) if transaction else [request]
    if rules.expression_limits:
        for part in parts:
            problem = next(expression_problems(operation, part), None)
            if problem:
                return error("ValidationException", problem)
    if rules.transaction_size and transaction and sum(map(_item_bytes, parts)) > TRANSACTION_BYTES:
        return error("ValidationException", "Transaction request exceeds the 4MB transaction size limit")
    if rules.single_index_change and operation == "UpdateTable":
        updates = request.get("GlobalSecondaryIndexUpdates") or []
        if sum("Create" in update or "Delete" in update for update in updates) > 1:
            return error("LimitExceededException", _UPDATES)
    return None


def long_index_key(table: dict[str, Any], item: dict[str, Any]) -> str | None:
    """Return AWS's message for an item with a key of an index that is too long; None for other items."""
    for index in (table.get("GlobalSecondaryIndexes") or []) + (table.get("LocalSecondaryIndexes") or []):
        for key in index["KeySchema"]:
            value = (item.get(key["AttributeName"]) or {}).get("S", "")
            kind, limit = ("hash", PARTITION_KEY_BYTES) if key["KeyType"] == "HASH" else ("range", SORT_KEY_BYTES)
            if len(value.encode()) > limit:
                return (
                    "One or more parameter values were invalid: "
                    f"Aggregated size of all {kind} keys has exceeded the size limit of {limit} bytes"
                )
    return None


def _item_bytes(action: dict[str, Any]) -> int:
    return size_of(action["Item"]) if "Item" in action else size_of(stored_version(action))
