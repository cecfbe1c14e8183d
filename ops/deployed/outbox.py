"""Reads how many events of the outbox are overdue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from contract import tables
from contract.limits import DUE_SHARDS

_UNSHARDED: Final = "due"
"""First part of the attribute `shard` (handlers/adapters: due_index)."""


def overdue(client: Any, environment: str, seconds: int) -> tuple[int, str | None]:
    """Return how many events were due longer ago than `seconds`, and the due date of the oldest.

    Args:
        client: a DynamoDB client.
        environment: name of the environment.
        seconds: how long they may be due.

    Raises:
        botocore.exceptions.ClientError: DynamoDB refused a request.
    """
    before = (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
    index = tables.OUTBOX.index("ByDue")
    found: list[str] = []
    for shard in (_UNSHARDED, *(f"{_UNSHARDED}#{number}" for number in range(DUE_SHARDS))):
        pages = client.get_paginator("query").paginate(
            TableName=tables.OUTBOX.name(environment),
            IndexName=index.name,
            KeyConditionExpression="#shard = :shard AND dueAt <= :before",
            ExpressionAttributeNames={"#shard": index.partition.name},
            ExpressionAttributeValues={
                ":shard": {"S": shard},
                ":before": {"S": before.replace("+00:00", "Z")},
            },
        )
        found += [item["dueAt"]["S"] for page in pages for item in page["Items"]]
    return len(found), min(found, default=None)
