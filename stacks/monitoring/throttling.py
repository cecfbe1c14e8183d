"""The metrics of throttled tables and indexes.

DynamoDB counts the throttling of an index under the index, not under its table (Amazon DynamoDB: metrics and
dimensions). A throttled index also rejects writes to its table.
"""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch

from contract.tables import TABLES
from stacks.monitoring.metrics import Metrics
from stacks.policy.permissions import FUNCTIONS


def throttled_reads(metrics: Metrics) -> list[cloudwatch.Metric]:
    """Return the metrics of throttled reads: of every table, and of every index that a function may query."""
    read = {(table, index) for permissions in FUNCTIONS.values() for table, index in permissions.indexes}
    return [
        *(metrics.table(table, "ReadThrottleEvents") for table in TABLES),
        *(
            metrics.index(table, index, "ReadThrottleEvents")
            for table in TABLES
            for index in table.indexes
            if (table, index) in read
        ),
    ]


def throttled_writes(metrics: Metrics) -> list[cloudwatch.Metric]:
    """Return the metrics of throttled writes: of every table and every index."""
    return [
        *(metrics.table(table, "WriteThrottleEvents") for table in TABLES),
        *(metrics.index(table, index, "WriteThrottleEvents") for table in TABLES for index in table.indexes),
    ]
