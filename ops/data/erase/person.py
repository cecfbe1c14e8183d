"""What the steps of an erasure share: the person, the tables, and the use cases of the product."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cached_property
from typing import Any, Final

from contract import limits, tables
from contract.responses import Delivery
from handlers.adapters.dynamodb.outbox import DynamoOutbox
from handlers.adapters.dynamodb.users import DynamoUserDirectory
from handlers.adapters.system import RandomIds, SystemClock
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.ports import DeliveryQueue, OutboxRecord, Publisher, QueueTask
from ops.data.table_access import TableAccess

Work = Callable[[], object]
"""Erases one item. It may be repeated: it does nothing where the item is erased."""
WorkList = Iterator[Work]
FIRST_NAME: Final = "Former"
LAST_NAME: Final = "member"
FORMER: Final = f"{FIRST_NAME} {LAST_NAME}"
"""The name that an erased person has from then on."""
FANOUT: Final = limits.SLICE_RECIPIENTS
"""Most recipients of an event of an erasure that are published to in one task."""


class Person:
    """A person who is erased.

    Args:
        user_id: the user id, which stays as a pseudonym where others' data refers to it.
        live: the tables.
    """

    def __init__(self, user_id: str, live: TableAccess) -> None:
        self.user_id = user_id
        self.live = live
        self.clock = SystemClock()
        self.ids = RandomIds()

    @property
    def client(self) -> Any:
        """The `dynamodb` client."""
        return self.live.client

    def table(self, table: tables.Table) -> str:
        """Return the name of a table."""
        return self.live.name(table)

    @cached_property
    def dispatcher(self) -> Dispatcher:
        """The dispatcher of the use cases: the relay delivers the events, which are stored with the change."""
        return _Relayed(_NoPublisher(), DynamoOutbox(self.client, self.table(tables.OUTBOX)), _NoQueue())

    @cached_property
    def directory(self) -> DynamoUserDirectory:
        """The users."""
        return DynamoUserDirectory(client=self.client, users_table=self.table(tables.USERS))


class _Relayed(Dispatcher, frozen=True):
    """Publishes nothing: the Outbox stream invokes the relay for every stored record."""

    def dispatch(self, record: OutboxRecord, completing: Any = None) -> Delivery:
        return Delivery(delivered=0, pending=len(record.recipients))


class _NoPublisher(Publisher):
    def publish(self, channels: Sequence[str], event: str) -> Collection[str]:
        return channels


class _NoQueue(DeliveryQueue):
    def send(self, tasks: Sequence[QueueTask], delay_seconds: int = 0) -> Sequence[QueueTask]:
        return tasks
