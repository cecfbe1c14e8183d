"""The throughput of partitions: which requests are throttled, and what the others cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from local.emulator.strict.dynamodb.answers import Response, cancelled, error
from local.emulator.strict.dynamodb.items import (
    READ_UNIT_BYTES,
    SINGLE_WRITES,
    Partition,
    actions,
    planned,
    read_partition,
    size_of,
    stored_version,
    write_partitions,
)
from local.emulator.strict.dynamodb.throughput import Throughput
from local.emulator.strict.rules.dynamodb import (
    READ_UNITS_PER_PARTITION,
    WRITE_UNITS_PER_PARTITION,
    DynamoDbSwitches,
)

OnWrite = Callable[[Partition, int], None]
"""Called with a partition and the write units that a write cost there."""
_READS: Final = frozenset({"GetItem", "Query"})
_THROTTLED: Final = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)


class Units:
    """What is left of each partition's throughput.

    Args:
        rules: size of a partition.
        clock: seconds, steadily growing.
        on_write: called with each partition that a write reached, and its write units there.
    """

    def __init__(self, rules: DynamoDbSwitches, clock: Callable[[], float], on_write: OnWrite) -> None:
        self._on_write = on_write
        self.writes = Throughput(WRITE_UNITS_PER_PARTITION * rules.throughput_scale, clock)
        self.reads = Throughput(READ_UNITS_PER_PARTITION * rules.throughput_scale, clock)

    def refusal(self, operation: str, request: dict[str, Any]) -> Response | None:
        """Return the answer to a request whose partition has no unit left; None for other requests and for batches."""
        if operation == "TransactWriteItems":
            full = [self.write_is_throttled(action) for action in actions(request)]
            if any(full):
                return cancelled("ThrottlingError", full, "Throughput exceeds the current capacity of your table")
        elif operation == "TransactGetItems":
            full = [self.read_is_throttled(action) for action in actions(request)]
            if any(full):
                return cancelled("ThrottlingError", full, "Throughput exceeds the current capacity of your table")
        write = operation in SINGLE_WRITES and self.write_is_throttled(request)
        read = operation in _READS and self.read_is_throttled(request)
        return throttled() if write or read else None

    def write_is_throttled(self, action: dict[str, Any]) -> bool:
        """Return whether a write meets a partition without units, of its table or of an index."""
        return self.writes.exhausted(planned(action))

    def read_is_throttled(self, request: dict[str, Any]) -> bool:
        """Return whether a read meets a partition without units."""
        read = read_partition(request, 0)
        return read is not None and self.reads.exhausted([read[0]])

    def charge_write(self, action: dict[str, Any], before: dict[str, Any] | None, *, transactional: bool) -> None:
        """Take what a write cost from its partitions.

        Args:
            action: the write, which was executed.
            before: what was stored at its key.
            transactional: whether it was part of a transaction, which doubles its cost.
        """
        after = stored_version(action)
        for partition, units in write_partitions(action, before, after, transactional=transactional):
            self.writes.charge(partition, units)
            self._on_write(partition, units)

    def charge_read(self, operation: str, request: dict[str, Any], size: int) -> None:
        """Take what a read cost from its partition.

        Args:
            operation: what was executed.
            request: the read.
            size: of what was read, in bytes.
        """
        factor = 2.0 if operation == "TransactGetItems" else 1.0 if request.get("ConsistentRead") else 0.5
        read = read_partition(request, max(1.0, size / READ_UNIT_BYTES) * factor)
        if read is not None:
            self.reads.charge(*read)

    def charge_item_read(self, operation: str, request: dict[str, Any]) -> None:
        """Take what the read of one item by its key cost from its partition."""
        self.charge_read(operation, request, size_of(stored_version(request)))


def throttled() -> Response:
    """Return the answer to a throttled request."""
    return error("ProvisionedThroughputExceededException", _THROTTLED)
