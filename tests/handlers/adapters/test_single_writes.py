"""Single writes that meet a transaction are repeated; those with a failed condition are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contract import tables
from contract.limits import RateLimit
from handlers.adapters.dynamodb import client
from handlers.adapters.dynamodb.calls.store import CallTables, DynamoCallStore
from handlers.adapters.dynamodb.client import WRITE_TRIES
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.dynamodb.rate_limits import DynamoRateCounter
from handlers.core.shared.errors import UnavailableError
from tests.harness import faults
from tests.harness.emulator import AwsResources

RATE = RateLimit("any", 5, 10)


class BusyClient:
    """A client whose single writes meet a transaction as often as given; then it makes them.

    Args:
        times: refusals before each write succeeds.
    """

    def __init__(self, dynamodb: Any, times: int) -> None:
        self._dynamodb = dynamodb
        self._times = times
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        """Return an operation."""

        def call(**request: Any) -> Any:
            if name in ("put_item", "update_item", "delete_item") and self.refused < self._times:
                self.refused += 1
                faults.met_transaction(lambda: None)
            return getattr(self._dynamodb, name)(**request)

        return call


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test wait."""
    monkeypatch.setattr(client.time, "sleep", lambda seconds: None)


def reschedule(busy: Any, aws: AwsResources) -> None:
    """Change when the sweep examines a call."""
    names = CallTables(calls=aws.table(tables.CALLS), call_locks="", outbox="")
    DynamoCallStore(busy, names).reschedule("unknown", 1, None)


WRITES: dict[str, Callable[[Any, AwsResources], Any]] = {
    "call": reschedule,
    "rate limit": lambda busy, aws: DynamoRateCounter(busy, aws.table(tables.RATE_LIMITS)).count("ana", RATE, 0),
    "outbox update": lambda busy, aws: DynamoOutbox(busy, aws.table(tables.OUTBOX)).give_up("unknown"),
    "outbox deletion": lambda busy, aws: DynamoOutbox(busy, aws.table(tables.OUTBOX)).delete("unknown"),
}


@pytest.mark.parametrize("write", WRITES)
def test_write_that_meets_transactions_is_repeated(aws: AwsResources, write: str) -> None:
    busy = BusyClient(aws.dynamodb, WRITE_TRIES - 1)
    WRITES[write](busy, aws)
    assert busy.refused == WRITE_TRIES - 1


@pytest.mark.parametrize("write", WRITES)
def test_write_that_always_meets_transactions_fails_without_having_written(aws: AwsResources, write: str) -> None:
    busy = BusyClient(aws.dynamodb, 1_000)
    with pytest.raises(UnavailableError, match="nothing was stored"):
        WRITES[write](busy, aws)
    assert busy.refused == WRITE_TRIES
