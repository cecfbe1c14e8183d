"""DynamoDB transactions: sent again while unanswered, and why one was cancelled."""

from __future__ import annotations

import time
import uuid
from typing import Any

from botocore.exceptions import ClientError

from handlers.adapters.dynamodb.client import error_code, writing
from handlers.adapters.dynamodb.codec import from_item
from handlers.core.shared.errors import OutcomeUnknownError, UnavailableError


class Reason:
    """Why one action of a transaction was refused: `code` is `None` for an action that was fine."""

    __slots__ = ("code", "item")

    def __init__(self, code: str, item: dict[str, Any] | None) -> None:
        self.code = code
        self.item = item

    @property
    def refused(self) -> bool:
        """Whether the action's own condition failed; `item` then is what stood there."""
        return self.code == "ConditionalCheckFailed"


def cancellation(error: ClientError) -> list[Reason] | None:
    """Return why a transaction was cancelled, in the order of its actions; None for every other error."""
    if error_code(error) != "TransactionCanceledException":
        return None
    return [
        Reason(reason.get("Code", "None"), from_item(reason["Item"]) if reason.get("Item") else None)
        for reason in error.response.get("CancellationReasons", [])
    ]


_RIVALRY = frozenset({"None", "ConditionalCheckFailed", "TransactionConflict"})


_CANCELLED_BY_LOAD = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})


class TransactionCancelledError(Exception):
    """A transaction was cancelled, so that nothing of it happened; `reasons` are in the order of its actions."""

    def __init__(self, reasons: list[Reason]) -> None:
        super().__init__(", ".join(reason.code for reason in reasons))
        self.reasons = reasons


_PAUSE_SECONDS = 0.05
"""An unanswered transaction may still be under way; it is given a moment to end."""


TRANSACTION_TRIES = 2
"""How often a transaction is sent, each time with botocore's own attempts: more would outlast the route's timeout."""


def transact(client: Any, actions: list[dict[str, Any]], token: str, what: str) -> None:
    """Run one TransactWriteItems; where nobody answers, send it again with the same token, so that it happens once.

    Args:
        client: the DynamoDB client.
        actions: TransactItems; conditions should ask for ALL_OLD.
        token: ClientRequestToken: fresh for every different list of actions.
        what: what is written, for people.

    Raises:
        TransactionCancelledError: a condition failed, or another transaction is under way on an item.
        UnavailableError: throttled; nothing was written.
        OutcomeUnknownError: nobody answered, each time.
        ClientError: the actions themselves are wrong, which is a defect.
    """
    for attempt in range(TRANSACTION_TRIES):
        try:
            with writing(what):
                client.transact_write_items(TransactItems=actions, ClientRequestToken=token)
                return
        except ClientError as error:
            reasons = cancellation(error)
            if reasons is None:
                raise
            codes = {reason.code for reason in reasons} - _RIVALRY
            if not codes:
                raise TransactionCancelledError(reasons) from error
            if codes <= _CANCELLED_BY_LOAD:
                raise UnavailableError(f"{what} could not be stored just now; nothing was stored; try again") from error
            raise
        except OutcomeUnknownError:
            if attempt == TRANSACTION_TRIES - 1:
                raise
            time.sleep(_PAUSE_SECONDS)


def commit(client: Any, actions: list[dict[str, Any]], what: str) -> bool:
    """Run one transaction; return False where a condition failed or another transaction was under way.

    Args:
        client: the DynamoDB client.
        actions: TransactItems, at most 100 (Amazon DynamoDB: TransactWriteItems).
        what: what is written, for people.

    Raises:
        UnavailableError: throttled; nothing was written.
        OutcomeUnknownError: nobody answered.
        ClientError: the actions themselves are wrong, which is a defect.
    """
    try:
        transact(client, actions, str(uuid.uuid4()), what)
    except TransactionCancelledError:
        return False
    return True
