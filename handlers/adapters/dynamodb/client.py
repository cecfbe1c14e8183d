"""Failures of DynamoDB requests, as the errors of the product."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from handlers.core.shared.errors import OutcomeUnknownError, UnavailableError

_UNANSWERED = frozenset(
    {
        "InternalServerError",
        "ServiceUnavailable",
        "RequestTimeout",
        "TransactionInProgressException",
    }
)
"""Errors after which a write may nevertheless have happened."""


_THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionConflictException",
        "LimitExceededException",
    }
)
"""Errors that say that nothing happened, and that trying again helps."""


def error_code(error: ClientError) -> str:
    """Return the service's name of an error, for example `ConditionalCheckFailedException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn a read's failures into `UnavailableError`; what the service refuses for good is a defect, and passes.

    Args:
        what: what is read, for people, for example `the conversation`.
    """
    try:
        yield
    except ClientError as error:
        if error_code(error) in _THROTTLED | _UNANSWERED:
            raise UnavailableError(f"{what} could not be read just now; try again") from error
        raise
    except BotoCoreError as error:
        raise UnavailableError(f"{what} could not be read just now; try again") from error


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Turn a write's failures into `UnavailableError` (nothing happened) or `OutcomeUnknownError`; others pass.

    Args:
        what: what is written, for people, for example `the message`.
    """
    try:
        yield
    except ClientError as error:
        code = error_code(error)
        if code in _THROTTLED:
            raise UnavailableError(f"{what} could not be stored just now; nothing was stored; try again") from error
        if code in _UNANSWERED:
            raise OutcomeUnknownError(f"{what}: {code}") from error
        raise
    except BotoCoreError as error:
        raise OutcomeUnknownError(f"{what}: {error}") from error
