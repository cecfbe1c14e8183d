"""DynamoDB transactions: repeated with the same token while the outcome is unknown; reasons of a cancellation."""

from __future__ import annotations

import time
import uuid
from typing import Any

from botocore.exceptions import ClientError

from handlers.adapters.dynamodb.client import error_code, writing
from handlers.adapters.dynamodb.codec import from_item
from handlers.core.shared.errors import OutcomeUnknownError, UnavailableError


class CancellationReason:
    """Why an action cancelled its transaction: `code` is "None" for an action that did not."""

    __slots__ = ("code", "item")

    def __init__(self, code: str, item: dict[str, Any] | None) -> None:
        self.code = code
        self.item = item

    @property
    def condition_failed(self) -> bool:
        """Whether the action's own condition failed; `item` is then the stored item."""
        return self.code == "ConditionalCheckFailed"

    @property
    def contended(self) -> bool:
        """Whether another transaction was in progress on the action's item."""
        return self.code == "TransactionConflict"


def cancellation(error: ClientError) -> list[CancellationReason] | None:
    """Return the reasons of a cancelled transaction, in the order of its actions; None for every other error."""
    if error_code(error) != "TransactionCanceledException":
        return None
    return [
        CancellationReason(reason.get("Code", "None"), from_item(reason["Item"]) if reason.get("Item") else None)
        for reason in error.response.get("CancellationReasons", [])
    ]


_CONCURRENCY = frozenset({"None", "ConditionalCheckFailed", "TransactionConflict"})
_THROTTLING = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})


class TransactionCancelledError(Exception):
    """A transaction was cancelled and nothing was written; `reasons` are in the order of its actions."""

    def __init__(self, reasons: list[CancellationReason]) -> None:
        super().__init__(", ".join(reason.code for reason in reasons))
        self.reasons = reasons


_PAUSE_SECONDS = 0.05
"""Pause before a transaction is repeated: one with unknown outcome may still be in progress."""
TRANSACTION_TRIES = 2
"""Most sends of a transaction, each with botocore's own attempts: more would exceed the route's timeout."""


def transact(client: Any, actions: list[dict[str, Any]], token: str, what: str) -> None:
    """Run one TransactWriteItems; repeat it with the same token while the outcome is unknown, so that it happens once.

    Args:
        client: the DynamoDB client.
        actions: TransactItems; conditions should ask for ALL_OLD.
        token: ClientRequestToken; a different one for every list of actions.
        what: what is written, for error messages.

    Raises:
        TransactionCancelledError: a condition failed, or another transaction is in progress on an item.
        UnavailableError: throttled; nothing was written.
        OutcomeUnknownError: DynamoDB did not respond, or responded with a server error, each time.
        ClientError: the actions are invalid, which is a defect.
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
            codes = {reason.code for reason in reasons} - _CONCURRENCY
            if not codes:
                raise TransactionCancelledError(reasons) from error
            if codes <= _THROTTLING:
                raise UnavailableError(f"{what} could not be stored just now; nothing was stored; try again") from error
            raise
        except OutcomeUnknownError:
            if attempt == TRANSACTION_TRIES - 1:
                raise
            time.sleep(_PAUSE_SECONDS)


def commit(client: Any, actions: list[dict[str, Any]], what: str) -> bool:
    """Run one transaction; return False where a condition failed or another transaction was in progress.

    Args:
        client: the DynamoDB client.
        actions: TransactItems, at most 100 (Amazon DynamoDB: TransactWriteItems).
        what: what is written, for error messages.

    Raises:
        UnavailableError: throttled; nothing was written.
        OutcomeUnknownError: DynamoDB did not respond, or responded with a server error.
        ClientError: the actions are invalid, which is a defect.
    """
    try:
        transact(client, actions, str(uuid.uuid4()), what)
    except TransactionCancelledError:
        return False
    return True
