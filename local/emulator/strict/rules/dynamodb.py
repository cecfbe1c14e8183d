"""Rules of DynamoDB."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from local.emulator.strict.rules.rule import Milliseconds, Rule, Switches

TRANSACTION_MILLISECONDS: Final = 12
"""How long a transaction holds its items: the median that the budgets of the design assume."""
WRITE_UNITS_PER_PARTITION: Final = 1_000
READ_UNITS_PER_PARTITION: Final = 3_000
_GUIDE: Final = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide"


class DynamoDbSwitches(Switches, frozen=True):
    """Which rules of DynamoDB are on, and their sizes.

    Args:
        transaction_conflicts, partition_throughput: the switches of the rules of that name.
        transaction_milliseconds: how long a transaction takes.
        throughput_scale: multiplies the units of a partition; below 1 the limit is reached with fewer requests.
    """

    transaction_conflicts: bool = True
    partition_throughput: bool = True
    transaction_milliseconds: Milliseconds = TRANSACTION_MILLISECONDS
    throughput_scale: Annotated[float, msgspec.Meta(gt=0, le=1_000)] = 1.0


RULES: Final = (
    Rule(
        "transaction_conflicts",
        request="A transaction or a single write on an item that a running transaction names",
        effect="The transaction is cancelled with TransactionConflict; the single write is refused with "
        "TransactionConflictException",
        alone="runs one request after the other, so that none conflicts",
        source="Amazon DynamoDB developer guide, 'Transaction conflict handling in DynamoDB'",
        link=f"{_GUIDE}/transaction-apis.html#transaction-conflict-handling",
    ),
    Rule(
        "partition_throughput",
        request="More than 1,000 write or 3,000 read units a second on one partition key of a table or index",
        effect="ProvisionedThroughputExceededException, also for a write whose index is above it",
        alone="accepts every request",
        source="Amazon DynamoDB developer guide, 'Designing partition keys to distribute your workload' and "
        "'GSI throttling and back pressure'",
        link=f"{_GUIDE}/bp-partition-key-design.html",
    ),
)
