"""Failed conditions that count as success, because the table already holds the requested state.

Updates are not included: their expression does not show what the item would be.
Source: AppSync resolver reference for DynamoDB, "Handling a condition check failure".
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

from appsync_events_local.sources.attributes import item_to_plain

Json = dict[str, Any]


def already_put(error: ClientError, wanted: Json, request: Json) -> Json:
    """Return the stored item if it equals the item to put, except for the attributes of `equalsIgnore`.

    Args:
        error: DynamoDB's error, with the stored item.
        wanted: the item to put, in botocore's format.
        request: the request object, with its condition.

    Raises:
        ClientError: `error`, if the table holds another item, or the error is not a failed condition.
    """
    stored = error.response.get("Item")
    if not _is_condition(error) or not stored:
        raise error
    ignored = set((request.get("condition") or {}).get("equalsIgnore") or ())
    if _comparable(stored, ignored) != _comparable(wanted, ignored):
        raise error
    return item_to_plain(stored)


def already_deleted(error: ClientError) -> None:
    """Return if the item does not exist.

    Raises:
        ClientError: `error`, if the item exists, or the error is not a failed condition.
    """
    if not _is_condition(error) or error.response.get("Item"):
        raise error


def _is_condition(error: ClientError) -> bool:
    return bool(error.response["Error"]["Code"] == "ConditionalCheckFailedException")


def _comparable(item: Json, ignored: Collection[str] = ()) -> Json:
    return {name: _value(value) for name, value in item.items() if name not in ignored}


def _value(value: Json) -> Any:
    """Return a comparable value: sets have no order, and a number has several texts."""
    ((kind, content),) = value.items()
    match kind:
        case "N":
            return kind, Decimal(content)
        case "NS":
            return kind, frozenset(Decimal(number) for number in content)
        case "SS" | "BS":
            return kind, frozenset(content)
        case "L":
            return kind, [_value(item) for item in content]
        case "M":
            return kind, _comparable(content)
        case _:
            return kind, content
