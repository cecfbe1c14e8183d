"""What each operation costs: how often it uses each service that AWS charges for.

The numbers are counted by `tests/handlers/costs`, which fails when they change; its option `--update-ledger` stores
them again. The page docs/reference/costs-per-operation.md and every estimate of costs rest on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

LEDGER: Final = Path(__file__).with_name("operations.json")


class OperationCost(msgspec.Struct, frozen=True, kw_only=True):
    """The uses of one operation, from the request until every recipient has its event.

    Args:
        requests: HTTP requests.
        invocations: Lambda invocations, with those of relay and deliver. Each task of the queue counts as one
            invocation, although up to five may share one.
        read_units, write_units: DynamoDB's on-demand units in tables and indexes.
        publishes: publishes to the Event API; each reaches the devices that subscribe to the channel.
        queue_requests: SQS requests: sends, and one receive and one delete for each task.
        meeting_requests: requests to the Chime SDK.
    """

    requests: int = 0
    invocations: int = 0
    read_units: float = 0
    write_units: float = 0
    publishes: int = 0
    queue_requests: int = 0
    meeting_requests: int = 0


@cache
def operations() -> Mapping[str, OperationCost]:
    """Return the cost of each operation by its title, in the order of the page."""
    return decode(LEDGER.read_bytes())


def decode(content: bytes) -> dict[str, OperationCost]:
    """Return the costs in a ledger."""
    return msgspec.json.decode(content, type=dict[str, OperationCost])


def encode(costs: Mapping[str, OperationCost]) -> bytes:
    """Return a ledger as it is stored."""
    return msgspec.json.format(msgspec.json.encode(costs), indent=2) + b"\n"
