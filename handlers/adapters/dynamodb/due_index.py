"""The index ByDue of a table with scheduled work, spread over several partition keys.

One partition key takes 1,000 write units a second, and an index that is above that rejects the writes of its table
(Amazon DynamoDB: GSI throttling and back pressure). With one key for all items, all sends together would be limited.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Any

from contract.outbox_keys import due_shards
from contract.tables import Index
from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.reads import query
from handlers.core.shared.timestamps import to_iso


def due_items(client: Any, index: Index, table: str, now: int, what: str) -> Iterable[dict[str, Any]]:
    """Yield the keys of all items that are due, oldest first.

    Args:
        client: the DynamoDB client.
        index: the index ByDue of the table.
        table: the table's name in this environment.
        now: milliseconds since the epoch.
        what: what is read, for error messages.
    """
    pages = [
        query(
            client,
            {
                "TableName": table,
                "IndexName": index.name,
                "KeyConditionExpression": "#shard = :shard AND dueAt <= :now",
                "ExpressionAttributeNames": {"#shard": index.partition.name},
                "ExpressionAttributeValues": to_item({":shard": shard, ":now": to_iso(now)}),
            },
            what,
        )
        for shard in due_shards()
    ]
    return heapq.merge(*pages, key=lambda item: item["dueAt"])
