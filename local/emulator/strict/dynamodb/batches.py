"""Batches: what of them is executed, and what is returned as unprocessed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from local.emulator.strict.dynamodb.answers import Response
from local.emulator.strict.dynamodb.items import batch_reads, batch_writes, size_of, stored_version
from local.emulator.strict.dynamodb.units import throttled

BATCH_BYTES: Final = 16 * 1024 * 1024
"""What one BatchGetItem returns at most (Amazon DynamoDB API reference, BatchGetItem)."""
_UNPROCESSED: Final = {"BatchWriteItem": "UnprocessedItems", "BatchGetItem": "UnprocessedKeys"}

BATCHES: Final = frozenset(_UNPROCESSED)
Serve = Callable[[bytes], Awaitable[Response]]


def parts_of(operation: str, request: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the single writes or reads of a batch, in its order."""
    return batch_writes(request) if operation == "BatchWriteItem" else batch_reads(request)


async def execute_some(operation: str, request: dict[str, Any], left_out: list[bool], serve: Serve) -> Response:
    """Execute a batch without some of its parts, which the answer names as unprocessed.

    Args:
        operation: BatchWriteItem or BatchGetItem.
        request: the batch.
        left_out: for each of its parts, whether it is not executed.
        serve: executes a request.

    Returns:
        The answer; a throttled one where no part is executed.
    """
    if all(left_out):
        return throttled()
    done, left = _split(operation, request["RequestItems"], left_out)
    status, headers, content = await serve(json.dumps({**request, "RequestItems": done}).encode())
    if status >= 400:
        return status, headers, content
    answer = json.loads(content)
    answer[_UNPROCESSED[operation]] = {**(answer.get(_UNPROCESSED[operation]) or {}), **left}
    unsummed = {name: value for name, value in headers.items() if name.lower() != "x-amz-crc32"}
    return status, unsummed, json.dumps(answer).encode()


def beyond_the_size(request: dict[str, Any]) -> list[bool]:
    """Return, for each part of a BatchGetItem, whether the batch has reached its size before it."""
    beyond, size = [], 0
    for part in batch_reads(request):
        item_bytes = size_of(stored_version(part))
        beyond.append(size + item_bytes > BATCH_BYTES)
        size += item_bytes
    return beyond


def _split(operation: str, items: dict[str, Any], left_out: list[bool]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the tables with the parts that are executed, and those with the others."""
    done: dict[str, Any] = {}
    left: dict[str, Any] = {}
    flags = iter(left_out)
    for table, content in items.items():
        parts = content if operation == "BatchWriteItem" else content["Keys"]
        chosen: dict[bool, list[Any]] = {True: [], False: []}
        for part in parts:
            chosen[next(flags)].append(part)
        for target, kept in ((done, chosen[False]), (left, chosen[True])):
            if kept:
                target[table] = kept if operation == "BatchWriteItem" else {**content, "Keys": kept}
    return done, left
