"""Reads items: one, many by key, or all pages of a query."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from random import SystemRandom
from typing import Any

from contract.limits import BATCH_GET_KEYS_MAX
from handlers.adapters.dynamodb.client import reading
from handlers.adapters.dynamodb.codec import from_item, to_item
from handlers.core.shared.errors import UnavailableError

_CONCURRENCY = 8
_ATTEMPTS = 6
_FIRST_PAUSE_SECONDS = 0.05
_random = SystemRandom()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_CONCURRENCY, thread_name_prefix="batch")


def get_item(client: Any, table: str, key: Mapping[str, str], what: str) -> dict[str, Any] | None:
    """Read one item consistently; None where it does not exist.

    Args:
        client: the DynamoDB client.
        table: the table's name.
        key: the item's key.
        what: what is read, for error messages.
    """
    with reading(what):
        answer = client.get_item(TableName=table, Key=to_item(key), ConsistentRead=True)
    return from_item(answer["Item"]) if "Item" in answer else None


def batch_get(
    client: Any,
    table: str,
    keys: Iterable[Mapping[str, str]],
    what: str,
    attributes: Sequence[str] | None = None,
) -> list[dict[str, Any]]:
    """Read items by key, consistently, in concurrent batches; items that do not exist are left out.

    Args:
        client: the DynamoDB client.
        table: the table's name.
        keys: the items' keys, each only once.
        what: what is read, for error messages.
        attributes: attributes to read; all of them by default.

    Raises:
        UnavailableError: DynamoDB left keys unprocessed in every attempt.
    """
    encoded = [to_item(key) for key in keys]
    batches = [encoded[start : start + BATCH_GET_KEYS_MAX] for start in range(0, len(encoded), BATCH_GET_KEYS_MAX)]
    if len(batches) == 1:
        return _batch(client, table, batches[0], what, attributes)
    answers = _pool().map(lambda batch: _batch(client, table, batch, what, attributes), batches)
    return [item for answer in answers for item in answer]


def _batch(
    client: Any, table: str, keys: list[dict[str, Any]], what: str, attributes: Sequence[str] | None
) -> list[dict[str, Any]]:
    request: dict[str, Any] = {"Keys": keys, "ConsistentRead": True}
    if attributes:
        names = {f"#a{number}": name for number, name in enumerate(attributes)}
        request |= {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names}
    found: list[dict[str, Any]] = []
    for attempt in range(_ATTEMPTS):
        with reading(what):
            answer = client.batch_get_item(RequestItems={table: request})
        found += [from_item(item) for item in answer.get("Responses", {}).get(table, [])]
        unprocessed = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys")
        if not unprocessed:
            return found
        request["Keys"] = unprocessed
        time.sleep(_random.uniform(0, _FIRST_PAUSE_SECONDS * 2**attempt))
    raise UnavailableError(f"{what} could not be read just now; try again")


def query(client: Any, request: dict[str, Any], what: str) -> Iterable[dict[str, Any]]:
    """Yield the items of a query, page by page.

    Args:
        client: the DynamoDB client.
        request: parameters of Query.
        what: what is read, for error messages.
    """
    request = dict(request)
    while True:
        with reading(what):
            page = client.query(**request)
        yield from map(from_item, page["Items"])
        if "LastEvaluatedKey" not in page:
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def count(client: Any, table: str, partition: str, value: str, what: str) -> int:
    """Count the items of one partition, consistently."""
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "#p = :p",
        "ExpressionAttributeNames": {"#p": partition},
        "ExpressionAttributeValues": to_item({":p": value}),
        "Select": "COUNT",
        "ConsistentRead": True,
    }
    total = 0
    while True:
        with reading(what):
            page = client.query(**request)
        total += int(page["Count"])
        if "LastEvaluatedKey" not in page:
            return total
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
