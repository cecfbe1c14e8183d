"""Ends reservations of sequence numbers."""

from __future__ import annotations

import time
from typing import Any, Final

from contract.models import Message
from handlers.adapters.dynamodb.codec import to_item
from handlers.adapters.dynamodb.messages.conditional import ConditionFailedError, ConflictError, conditional
from handlers.adapters.dynamodb.messages.message_items import newest_values
from handlers.core.messages.numbering import Reservation

TRIES: Final = 4
PAUSE_SECONDS: Final = 0.02
"""A little longer than a transaction on the counter: a change of the group, or a batch of the direct channel."""


def end_reservation(
    client: Any, table: str, reservation: Reservation, stored_at: str | None, shown: Message | None = None
) -> None:
    """Remove a reservation from its counter, and move the newest stored message on.

    Args:
        client: the DynamoDB client.
        table: name of the counter's table.
        reservation: what is removed; nothing is removed if it is gone. In a direct conversation the next send with the
            same tempId may have reserved another number under the same id, which then stays.
        stored_at: ISO date of the message; None where the number has a placeholder.
        shown: the message, if the counter's item shows its newest message to clients.
    """
    values: dict[str, Any] = {":seq": reservation.seq}
    request: dict[str, Any] = {
        "TableName": table,
        "Key": to_item({"conversationId": reservation.conversation_id}),
        "UpdateExpression": "REMOVE pendingSeq.#r, pendingAt.#r",
        "ConditionExpression": "pendingSeq.#r = :seq",
        "ExpressionAttributeNames": {"#r": reservation.reservation_id},
        "ExpressionAttributeValues": to_item(values),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    moved = "SET lastMessageAt = :at, updatedAt = :at, lastMessage = :last" if shown else "SET lastMessageAt = :at"
    newest = {
        **request,
        "UpdateExpression": f"{moved} {request['UpdateExpression']}",
        "ConditionExpression": "pendingSeq.#r = :seq AND (attribute_not_exists(lastMessageAt) OR lastMessageAt < :at)",
        "ExpressionAttributeValues": to_item({**values, **(newest_values(shown) if shown else {":at": stored_at})}),
    }
    use = newest if stored_at else request
    for _ in range(TRIES):
        try:
            with conditional("the number"):
                client.update_item(**use)
            return
        except ConditionFailedError as failed:
            if failed.item.get("pendingSeq", {}).get(reservation.reservation_id) != reservation.seq:
                return
            use = request
        except ConflictError:
            time.sleep(PAUSE_SECONDS)
