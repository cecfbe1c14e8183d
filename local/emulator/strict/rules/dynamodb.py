"""Rules of DynamoDB."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from local.emulator.strict.rules.rule import Milliseconds, Rule, Switches

TRANSACTION_MILLISECONDS: Final = 12
"""How long a transaction holds its items: the median that the budgets of the design assume."""
LAG_LEAST_MILLISECONDS: Final = 50
LAG_MOST_MILLISECONDS: Final = 200
"""After which time a write shows in an index: AWS documents 'a fraction of a second, under normal conditions'."""
WRITE_UNITS_PER_PARTITION: Final = 1_000
READ_UNITS_PER_PARTITION: Final = 3_000
_GUIDE: Final = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide"


class DynamoDbSwitches(Switches, frozen=True):
    """Which rules of DynamoDB are on, and their sizes.

    Args:
        transaction_conflicts, partition_throughput, index_lag, stale_reads, transaction_size, batch_size,
            expression_limits, index_key_sizes, single_index_change: the switches of the rules of that name.
        transaction_milliseconds: how long a transaction takes.
        lag_least_milliseconds, lag_most_milliseconds: after which time a write shows in an index, and in an eventually
            consistent read; each write gets its own, from its key and number.
        throughput_scale: multiplies the units of a partition; below 1 the limit is reached with fewer requests.
    """

    transaction_conflicts: bool = True
    partition_throughput: bool = True
    index_lag: bool = True
    stale_reads: bool = True
    transaction_size: bool = True
    batch_size: bool = True
    expression_limits: bool = True
    index_key_sizes: bool = True
    single_index_change: bool = True
    transaction_milliseconds: Milliseconds = TRANSACTION_MILLISECONDS
    lag_least_milliseconds: Milliseconds = LAG_LEAST_MILLISECONDS
    lag_most_milliseconds: Milliseconds = LAG_MOST_MILLISECONDS
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
        effect="ProvisionedThroughputExceededException, also for a write whose index is above it; of a batch, "
        "the items concerned are returned as UnprocessedItems or UnprocessedKeys",
        alone="accepts every request",
        source="Amazon DynamoDB developer guide, 'Designing partition keys to distribute your workload' and "
        "'GSI throttling and back pressure'",
        link=f"{_GUIDE}/bp-partition-key-design.html",
    ),
    Rule(
        "index_lag",
        request="Query of a global secondary index within 50 to 200 ms (settable) after a write",
        effect="The index shows the state before the write. Writes of different items may show in another order; those "
        "of one item keep theirs",
        alone="shows every write at once",
        source="Amazon DynamoDB developer guide, 'Using Global Secondary Indexes in DynamoDB', 'Data synchronization "
        "between tables and Global Secondary Indexes'",
        link=f"{_GUIDE}/GSI.html#GSI.Writes",
    ),
    Rule(
        "stale_reads",
        request="GetItem, Query, Scan or BatchGetItem without ConsistentRead within 50 to 200 ms (settable) after a "
        "write",
        effect="The answer is the state before the write. Reads with ConsistentRead and TransactGetItems are current",
        alone="answers with every write at once",
        source="Amazon DynamoDB developer guide, 'DynamoDB read consistency'",
        link=f"{_GUIDE}/HowItWorks.ReadConsistency.html",
    ),
    Rule(
        "transaction_size",
        request="A transaction whose items, as they are stored, have more than 4 MB together",
        effect="ValidationException",
        alone="measures only the request of TransactWriteItems, and TransactGetItems not at all",
        source="Amazon DynamoDB developer guide, 'Amazon DynamoDB Transactions: How it works'",
        link=f"{_GUIDE}/transaction-apis.html",
    ),
    Rule(
        "batch_size",
        request="BatchGetItem of items that have more than 16 MB together",
        effect="Items up to 16 MB; the keys of the others are UnprocessedKeys",
        alone="returns all items",
        source="Amazon DynamoDB API reference, BatchGetItem",
        link="https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html",
    ),
    Rule(
        "expression_limits",
        request="A section that stands twice in an UpdateExpression, two of its paths that overlap, IN with more than "
        "100 operands, a filter of a Query on a key attribute, or an empty attribute name",
        effect="ValidationException",
        alone="accepts the request",
        source="Amazon DynamoDB developer guide, 'Update expressions', 'Comparison operator and function reference' "
        "and 'Filter expressions for the Query operation'",
        link=f"{_GUIDE}/Query.FilterExpression.html",
    ),
    Rule(
        "index_key_sizes",
        request="An item whose partition key of an index has more than 2,048 bytes, or whose sort key more than 1,024",
        effect="ValidationException",
        alone="checks only the table's own key",
        source="Amazon DynamoDB developer guide, 'Constraints in Amazon DynamoDB', 'Partition keys and sort keys'",
        link=f"{_GUIDE}/Constraints.html#limits-partition-sort-keys",
    ),
    Rule(
        "single_index_change",
        request="UpdateTable that creates or deletes more than one global secondary index",
        effect="LimitExceededException",
        alone="makes all changes",
        source="Amazon DynamoDB API reference, UpdateTable",
        link="https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html",
    ),
)
