"""The table RateLimits."""

from __future__ import annotations

from typing import Any

from contract.limits import TYPING_INTERVAL_MILLISECONDS, TYPING_RATE, RateLimit
from handlers.adapters.dynamodb.client import write_single
from handlers.adapters.dynamodb.codec import to_item
from handlers.core.messages.ports import TypingRates, TypingUse
from handlers.core.shared.ports import RateCounter


def rate_update(table: str, user_id: str, rate: RateLimit, now: int) -> dict[str, Any]:
    """Return the parameters of the conditional update that counts one use, for UpdateItem or a transaction.

    Its condition fails where the limit of the present window is reached.

    Args:
        table: name of the table RateLimits.
        user_id: the user whose use is counted.
        rate: the rate limit.
        now: milliseconds since the epoch.
    """
    window = rate.window(now / 1000)
    return {
        "TableName": table,
        "Key": to_item({"id": f"{user_id}#{rate.action}#{window}"}),
        "UpdateExpression": "SET expiresAt = :expires ADD #count :one",
        "ConditionExpression": "attribute_not_exists(#count) OR #count < :limit",
        "ExpressionAttributeNames": {"#count": "count"},
        "ExpressionAttributeValues": to_item(
            {":expires": window + 2 * rate.seconds, ":one": 1, ":limit": rate.count},
        ),
    }


class DynamoTypingRates(TypingRates):
    """Limits typing events with one update for each that is published.

    Args:
        client: the `dynamodb` client.
        table: name of the table RateLimits.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._counter = DynamoRateCounter(client, table)
        self._client = client
        self._table = table

    def count(self, user_id: str, conversation_id: str, now: int, *, typing: bool) -> TypingUse:
        update = rate_update(self._table, user_id, TYPING_RATE, now)
        update["UpdateExpression"] = "SET expiresAt = :expires, #at = :now ADD #count :one"
        update["ConditionExpression"] = (
            f"({update['ConditionExpression']}) AND (attribute_not_exists(#at) OR #at <= :before)"
        )
        update["ExpressionAttributeNames"]["#at"] = f"{'on' if typing else 'off'}:{conversation_id}"
        update["ExpressionAttributeValues"].update(
            to_item({":now": now, ":before": now - TYPING_INTERVAL_MILLISECONDS})
        )
        if write_single(lambda: self._client.update_item(**update), "the use") is not None:
            return TypingUse.PUBLISHED
        # A repeated event counts, too: the second update distinguishes it from a use above the limit.
        return TypingUse.REPEATED if self._counter.count(user_id, TYPING_RATE, now) else TypingUse.REFUSED


class DynamoRateCounter(RateCounter):
    """Counts uses, one update each.

    Args:
        client: the `dynamodb` client.
        table: name of the table RateLimits.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def count(self, user_id: str, rate: RateLimit, now: int) -> bool:
        update = rate_update(self._table, user_id, rate, now)
        return write_single(lambda: self._client.update_item(**update), "the use") is not None
