"""Translates failures of DynamoDB requests into the errors of `handlers.core.shared.errors`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import SystemRandom
from typing import Any

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

_FAILED_CONDITION = "ConditionalCheckFailedException"
_MET_TRANSACTION = "TransactionConflictException"
WRITE_TRIES = 6
"""Most sends of a single write that meets transactions: each holds its items for some milliseconds."""
_FIRST_PAUSE_SECONDS = 0.02
_random = SystemRandom()


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


def write_single(write: Callable[[], dict[str, Any]], what: str) -> dict[str, Any] | None:
    """Run one PutItem, UpdateItem or DeleteItem; return its response, or None where its condition failed.

    A write is refused while a transaction is in progress on its item (Amazon DynamoDB: transaction conflict handling).
    It is then repeated after a random, growing pause; botocore does not do that.

    Args:
        write: sends the request.
        what: what is written, for error messages.

    Raises:
        UnavailableError: throttled, or a transaction was in progress each time; nothing was written.
        OutcomeUnknownError: DynamoDB did not respond, or responded with a server error.
        ClientError: the request is invalid, which is a defect.
    """
    for attempt in range(WRITE_TRIES):
        with writing(what):
            try:
                return write()
            except ClientError as error:
                if error_code(error) == _FAILED_CONDITION:
                    return None
                if error_code(error) != _MET_TRANSACTION or attempt == WRITE_TRIES - 1:
                    raise
        time.sleep(_random.uniform(0, _FIRST_PAUSE_SECONDS * 2**attempt))
    raise AssertionError("the last attempt returns or raises")
