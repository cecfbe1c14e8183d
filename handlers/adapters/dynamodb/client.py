"""Translates failures of DynamoDB requests into the errors of `handlers.core.shared.errors`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from handlers.core.shared.errors import OutcomeUnknownError, UnavailableError

_OUTCOME_UNKNOWN = frozenset(
    {
        "InternalServerError",
        "ServiceUnavailable",
        "RequestTimeout",
        "TransactionInProgressException",
    }
)
"""Errors after which a write may have happened."""
_THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionConflictException",
        "LimitExceededException",
    }
)
"""Errors that mean that nothing was written and that a repeat may succeed."""


def error_code(error: ClientError) -> str:
    """Return the service's code of an error, for example `ConditionalCheckFailedException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Translate transient failures of a read into `UnavailableError`; other errors are defects and are not caught.

    Args:
        what: what is read, for error messages, for example `the conversation`.
    """
    try:
        yield
    except ClientError as error:
        if error_code(error) in _THROTTLED | _OUTCOME_UNKNOWN:
            raise UnavailableError(f"{what} could not be read just now; try again") from error
        raise
    except BotoCoreError as error:
        raise UnavailableError(f"{what} could not be read just now; try again") from error


@contextmanager
def writing(what: str) -> Iterator[None]:
    """Translate failures of a write into `UnavailableError` (nothing was written) or `OutcomeUnknownError`.

    Other errors are not caught: failed conditions, which the caller handles, and defects.

    Args:
        what: what is written, for error messages, for example `the message`.
    """
    try:
        yield
    except ClientError as error:
        code = error_code(error)
        if code in _THROTTLED:
            raise UnavailableError(f"{what} could not be stored just now; nothing was stored; try again") from error
        if code in _OUTCOME_UNKNOWN:
            raise OutcomeUnknownError(f"{what}: {code}") from error
        raise
    except BotoCoreError as error:
        raise OutcomeUnknownError(f"{what}: {error}") from error
