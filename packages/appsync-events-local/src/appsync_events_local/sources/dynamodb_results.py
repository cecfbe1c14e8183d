"""Converts DynamoDB's responses, in botocore's format, to ``ctx.result`` and ``ctx.error`` of handlers."""

from __future__ import annotations

import base64
import json
from typing import Any

from botocore.exceptions import ClientError

from appsync_events_local.sources.attributes import item_to_plain
from appsync_events_local.sources.data_source import DataSourceError

Json = dict[str, Any]


def data_source_error(error: ClientError) -> DataSourceError:
    """Return DynamoDB's error as a handler sees it, with its cancellation reasons or its item."""
    code = error.response["Error"]["Code"]
    message = error.response["Error"].get("Message", code)
    result = None
    if code == "TransactionCanceledException":
        reasons = error.response.get("CancellationReasons", [])
        result = {"keys": None, "cancellationReasons": [_reason(reason) for reason in reasons]}
    elif code == "ConditionalCheckFailedException" and "Item" in error.response:
        result = item_to_plain(error.response["Item"])
    return DataSourceError(f"DynamoDB:{code}", message, result)


def listed(answer: Json) -> Json:
    """Return the result of a query or scan: items, nextToken, scannedCount."""
    last = answer.get("LastEvaluatedKey")
    return {
        "items": [item_to_plain(item) for item in answer.get("Items", [])],
        "nextToken": _to_token(last) if last else None,
        "scannedCount": answer.get("ScannedCount", 0),
    }


def in_order_of_keys(keys: list[Json], items: list[Json]) -> list[Any]:
    """Return the items in the order of the keys, with null for missing items, as AppSync does."""

    def matching(key: Json) -> Any:
        found = next((item for item in items if all(item.get(name) == value for name, value in key.items())), None)
        return None if found is None else item_to_plain(found)

    return [matching(key) for key in keys]


def written_content(entry: Json) -> Json:
    """Return the item or key of one entry of a batch write."""
    content: Json = entry["PutRequest"]["Item"] if "PutRequest" in entry else entry["DeleteRequest"]["Key"]
    return content


def _reason(reason: Json) -> Json:
    item = reason.get("Item")
    return {
        "type": reason.get("Code", "None"),
        "message": reason.get("Message"),
        "item": item_to_plain(item) if item else None,
    }


def _to_token(key: Json) -> str:
    text = json.dumps(key, default=lambda value: {"base64": base64.b64encode(value).decode()})
    return base64.urlsafe_b64encode(text.encode()).decode()
