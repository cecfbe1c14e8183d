"""Single conditional writes whose failed condition returns the stored item."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from handlers.adapters.dynamodb.client import error_code, writing
from handlers.adapters.dynamodb.codec import from_item
from handlers.core.shared.errors import UnavailableError


class ConflictError(Exception):
    """A transaction was in progress on the item; nothing was written."""


class ConditionFailedError(Exception):
    """The condition failed; `item` is the stored item where the request asked for it."""

    def __init__(self, item: dict[str, Any]) -> None:
        super().__init__()
        self.item = item


@contextmanager
def conditional(what: str) -> Iterator[None]:
    """Translate the failures of one conditional write.

    Args:
        what: what is written, for error messages.

    Raises:
        ConflictError, ConditionFailedError: see there.
        UnavailableError: throttled; nothing was written.
        OutcomeUnknownError: DynamoDB did not respond, or responded with a server error.
    """
    try:
        with writing(what):
            yield
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        raise ConditionFailedError(from_item(error.response.get("Item") or {})) from error
    except UnavailableError as error:
        cause = error.__cause__
        if isinstance(cause, ClientError) and error_code(cause) == "TransactionConflictException":
            raise ConflictError from error
        raise
