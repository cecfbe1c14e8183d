"""The metrics of throttled tables and indexes.

DynamoDB counts the throttling of an index under the index, not under its table (Amazon DynamoDB: metrics and
dimensions). A throttled index also rejects writes to its table.
"""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch

from contract import tables
from stacks.monitoring.metrics import Metrics

HOT_TABLES: Final = (
    tables.CONVERSATIONS,
    tables.CONVERSATION_COUNTERS,
    tables.CONVERSATION_MEMBERS,
    tables.MESSAGES,
    tables.OUTBOX,
    tables.CALLS,
)
"""The tables whose items many users write at once. In the others each user writes items of their own."""


def throttled_reads(metrics: Metrics) -> list[cloudwatch.Metric]:
    """Return the metrics of throttled reads of the hot tables."""
    return [metrics.table(table, "ReadThrottleEvents") for table in HOT_TABLES]


def throttled_writes(metrics: Metrics) -> list[cloudwatch.Metric]:
    """Return the metrics of throttled writes of the hot tables and of every index of them."""
    return [
        *(metrics.table(table, "WriteThrottleEvents") for table in HOT_TABLES),
        *(metrics.index(table, index, "WriteThrottleEvents") for table in HOT_TABLES for index in table.indexes),
    ]
