"""Which items a DynamoDB request touches, and how many units it costs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from ministack.services import dynamodb

SINGLE_WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
WRITE_UNIT_BYTES: Final = 1024
READ_UNIT_BYTES: Final = 4096
_ACTIONS: Final = ("Put", "Update", "Delete", "ConditionCheck", "Get")


class Item(NamedTuple):
    """The identity of an item: its table and its key as JSON text."""

    table: str
    key: str


class Partition(NamedTuple):
    """One partition key of a table, or of one of its indexes."""

    table: str
    index_name: str
    key: str


def touched(operation: str, request: dict[str, Any]) -> list[Item]:
    """Return the items that a transaction or a single write names; none for other operations."""
    if operation in SINGLE_WRITES:
        return [item_of(request)]
    if operation in ("TransactWriteItems", "TransactGetItems"):
        return [item_of(action) for action in actions(request)]
    return []


def actions(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the actions of a transaction, in its order."""
    members = request.get("TransactItems") or []
    return [next((member[kind] for kind in _ACTIONS if kind in member), {}) for member in members]


def stored_version(action: dict[str, Any]) -> dict[str, Any] | None:
    """Return what is stored at the key of a write, a check or a read; None where nothing is."""
    table = _table(_name(action))
    found = dynamodb._get_item_by_key(table, key_of(_name(action), _source(action))) if table else None
    return dict(found) if found else None


def batch_writes(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the writes of a BatchWriteItem as single writes, in its order."""
    return [
        {"TableName": table, **(write.get("PutRequest") or write.get("DeleteRequest") or {})}
        for table, writes in (request.get("RequestItems") or {}).items()
        for write in writes
    ]


def batch_reads(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the reads of a BatchGetItem as single reads, in its order."""
    return [
        {"TableName": table, "Key": key, "ConsistentRead": wanted.get("ConsistentRead", False)}
        for table, wanted in (request.get("RequestItems") or {}).items()
        for key in wanted.get("Keys") or []
    ]


def key_of(table_name: str, source: dict[str, Any]) -> dict[str, Any]:
    """Return the key attributes of an item or of a key."""
    table = _table(table_name)
    names = [name for name in (table["pk_name"], table["sk_name"]) if name] if table else []
    return {name: source[name] for name in names if name in source}


def planned(action: dict[str, Any]) -> list[Partition]:
    """Return the partitions that a write is about to reach, as far as its request says."""
    old = stored_version(action)
    new = action.get("Item") or old or action.get("Key")
    return [partition for partition, _ in write_partitions(action, old, new, transactional=False)]


def write_partitions(
    action: dict[str, Any], before: dict[str, Any] | None, after: dict[str, Any] | None, *, transactional: bool
) -> Iterator[tuple[Partition, int]]:
    """Yield the partitions that one write reaches, with the write units that it costs there.

    Source: Amazon DynamoDB developer guide, 'DynamoDB read and write operations' and 'Write considerations for GSIs'.
    """
    table_name = _name(action)
    table = _table(table_name)
    if table is None:
        return
    item = after or before or {}
    units = math.ceil(max(size_of(before), size_of(after), 1) / WRITE_UNIT_BYTES) * (2 if transactional else 1)
    yield Partition(table_name, "", json.dumps(item.get(table["pk_name"]))), units
    for index in table.get("GlobalSecondaryIndexes") or []:
        cost = math.ceil(dynamodb._index_write_units(table, index, before, after))
        name = _partition_key(index)
        value = next((version[name] for version in (after, before) if version and name in version), None)
        if cost and value is not None:
            yield Partition(table_name, index["IndexName"], json.dumps(value)), cost


def read_partition(request: dict[str, Any], consumed: float) -> tuple[Partition, int] | None:
    """Return the partition that a GetItem or Query reads, with its read units; None for other reads."""
    table_name = _name(request)
    table = _table(table_name)
    if table is None:
        return None
    if "Key" in request:
        return Partition(table_name, "", json.dumps(request["Key"].get(table["pk_name"]))), math.ceil(consumed)
    values = request.get("ExpressionAttributeValues") or {}
    condition = request.get("KeyConditionExpression") or ""
    placeholder = next((name for name in sorted(values, key=len, reverse=True) if f"= {name}" in condition), None)
    if placeholder is None:
        return None
    return Partition(table_name, request.get("IndexName", ""), json.dumps(values[placeholder])), math.ceil(consumed)


def item_of(action: dict[str, Any]) -> Item:
    """Return the identity of the item that a write, a check or a read names."""
    return Item(_name(action), json.dumps(key_of(_name(action), _source(action)), sort_keys=True))


def _source(action: dict[str, Any]) -> dict[str, Any]:
    return action.get("Item") or action.get("Key") or {}


def _name(request: dict[str, Any]) -> str:
    return str(dynamodb._normalize_table_name(request.get("TableName", "")))


def _table(name: str) -> dict[str, Any] | None:
    table: dict[str, Any] | None = dynamodb._tables.get(name)
    return table


def _partition_key(index: dict[str, Any]) -> str:
    return next(str(key["AttributeName"]) for key in index["KeySchema"] if key["KeyType"] == "HASH")


def size_of(item: dict[str, Any] | None) -> int:
    """Return the size of an item in bytes; 0 for None."""
    return int(dynamodb._item_size_bytes(item)) if item else 0
