"""A failed condition that is no failure: the table already holds what the request wanted.

Source: AppSync resolver reference for DynamoDB, "Handling a condition check failure". An update cannot be compared, as
its expression does not say what the item would be.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from botocore.exceptions import ClientError

from appsync_events_local.sources.attributes import item_to_plain

Json = dict[str, Any]


def already_put(error: ClientError, wanted: Json, request: Json) -> Json:
    """The stored item, if it is the one that was to be put, but for the attributes of `equalsIgnore`.

    Args:
        error: DynamoDB's refusal, with the stored item.
        wanted: the item that was to be put, as botocore has it.
        request: for its condition.

    Raises:
        ClientError: the given one; the table holds something else, or the refusal is another.
    """
    stored = error.response.get("Item")
    if not _is_condition(error) or not stored:
        raise error
    ignored = set((request.get("condition") or {}).get("equalsIgnore") or ())
    if _comparable(stored, ignored) != _comparable(wanted, ignored):
        raise error
    return item_to_plain(stored)


def already_deleted(error: ClientError) -> None:
    """Nothing, if there is no item any more.

    Raises:
        ClientError: the given one; the item is still there, or the refusal is another.
    """
    if not _is_condition(error) or error.response.get("Item"):
        raise error


def _is_condition(error: ClientError) -> bool:
    return bool(error.response["Error"]["Code"] == "ConditionalCheckFailedException")


def _comparable(item: Json, ignored: Collection[str] = ()) -> Json:
    return {name: _value(value) for name, value in item.items() if name not in ignored}


def _value(value: Json) -> Any:
    """Equal for equal values: a set has no order, and a number several texts."""
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
