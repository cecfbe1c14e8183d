"""Errors of DynamoDB reads, writes and transactions."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from handlers.adapters.dynamodb.client import reading, writing
from handlers.adapters.dynamodb.transactions import TRANSACTION_TRIES, TransactionCancelledError, cancellation, transact
from handlers.core.shared.errors import OutcomeUnknownError, UnavailableError


def error(code: str, **answer: Any) -> ClientError:
    """Return an error of the service."""
    return ClientError({"Error": {"Code": code, "Message": code}, **answer}, "Operation")


@pytest.mark.parametrize(
    ("cause", "read", "written"),
    [
        (error("ProvisionedThroughputExceededException"), UnavailableError, UnavailableError),
        (error("ThrottlingException"), UnavailableError, UnavailableError),
        (error("InternalServerError"), UnavailableError, OutcomeUnknownError),
        (error("TransactionInProgressException"), UnavailableError, OutcomeUnknownError),
        (ConnectTimeoutError(endpoint_url="http://x"), UnavailableError, OutcomeUnknownError),
        (error("ValidationException"), ClientError, ClientError),
        (error("ResourceNotFoundException"), ClientError, ClientError),
        (KeyError("defect"), KeyError, KeyError),
    ],
)
def test_failure_of_a_write_leaves_the_outcome_unknown_unless_it_was_throttled(
    cause: Exception, read: type[Exception], written: type[Exception]
) -> None:
    with pytest.raises(read), reading("it"):
        raise cause
    with pytest.raises(written), writing("it"):
        raise cause


def test_cancelled_transaction_reports_the_failed_condition_and_the_stored_item() -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": {"a": {"N": "1"}}}]
    found = cancellation(error("TransactionCanceledException", CancellationReasons=reasons))
    assert found is not None
    first, second = found
    assert (first.condition_failed, first.item) == (False, None)
    assert (second.condition_failed, second.item) == (True, {"a": 1})
    assert cancellation(error("ValidationException")) is None


class FailingClient:
    """A client whose first transactions fail with the given errors."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.tokens: list[str] = []

    def transact_write_items(self, **request: Any) -> None:
        """Raise the next error, if there is one."""
        self.tokens.append(request["ClientRequestToken"])
        if self.errors:
            raise self.errors.pop(0)


def test_transaction_with_unknown_outcome_is_repeated_with_the_same_token() -> None:
    for code in ("InternalServerError", "TransactionInProgressException"):
        client = FailingClient(error(code))
        transact(client, [], "token", "it")
        assert client.tokens == ["token"] * 2


def test_transaction_raises_outcome_unknown_after_the_last_attempt() -> None:
    client = FailingClient(*(error("InternalServerError") for _ in range(9)))
    with pytest.raises(OutcomeUnknownError):
        transact(client, [], "token", "it")
    assert len(client.tokens) == TRANSACTION_TRIES


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ConditionalCheckFailed", TransactionCancelledError),
        ("TransactionConflict", TransactionCancelledError),
        ("ThrottlingError", UnavailableError),
        ("ProvisionedThroughputExceeded", UnavailableError),
        ("ValidationError", ClientError),
        ("ItemCollectionSizeLimitExceeded", ClientError),
    ],
)
def test_cancelled_transaction_is_a_conflict_unavailable_or_a_defect(code: str, expected: type[Exception]) -> None:
    reasons = [{"Code": "None"}, {"Code": code}]
    client = FailingClient(error("TransactionCanceledException", CancellationReasons=reasons))
    with pytest.raises(expected):
        transact(client, [], "token", "it")
    assert len(client.tokens) == 1
