"""Copies of tables that lag behind them: what global secondary indexes and eventually consistent reads show.

AWS answers such a read from a copy that gets each write some time after it. The time differs from write to write, so
that a later write can show before an earlier one, and a transaction in parts; the writes of one item keep their order.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import dynamodb

from local.emulator.strict.rules.dynamodb import DynamoDbSwitches

Table = dict[str, Any]
_SET: Final[Callable[..., Any]] = dynamodb._set_item
_REMOVE: Final[Callable[..., Any]] = dynamodb._remove_item
_OWN: Final = frozenset({"items", "ItemCount", "TableSizeBytes", dynamodb._INDEX_MEMBERS})
"""What a copy does not take from its table."""
_SINGLE_READS: Final = ("GetItem", "Query", "Scan")
_reading: ContextVar[frozenset[str]] = ContextVar("reading", default=frozenset())
"""Names of the tables that the present request reads from their copies."""


class Replica:
    """The copy of one table.

    Args:
        table: as ministack keeps it.
    """

    def __init__(self, table: Table) -> None:
        self._source = table["items"]
        self._lock = threading.Lock()
        self._view: Table = {"items": defaultdict(dict, {pk: dict(kept) for pk, kept in table["items"].items()})}
        self._changes: list[tuple[float, int, Any, Any, Any]] = []
        self._due: dict[tuple[Any, Any], float] = {}
        self._numbers = itertools.count()

    def follows(self, table: Table) -> bool:
        """Return whether this is a copy of the table's present items."""
        return self._source is table["items"]

    def change(self, partition: Any, sort: Any, item: Any, now: float, rules: DynamoDbSwitches) -> None:
        """Take over a write, or with None a deletion, after a lag."""
        with self._lock:
            number = next(self._numbers)
            spread = rules.lag_most_milliseconds - rules.lag_least_milliseconds
            share = zlib.crc32(f"{partition}/{sort}/{number}".encode()) % 1_000 / 999
            due = now + (rules.lag_least_milliseconds + share * spread) / 1000
            due = self._due[partition, sort] = max(due, self._due.get((partition, sort), 0.0))
            heapq.heappush(self._changes, (due, number, partition, sort, item))

    def as_of(self, table: Table, now: float) -> Table:
        """Return the copy with the writes whose lag is over, and the settings of its table."""
        view = self._view
        with self._lock:
            while self._changes and self._changes[0][0] <= now:
                due, _, partition, sort, item = heapq.heappop(self._changes)
                if self._due.get((partition, sort)) == due:
                    del self._due[partition, sort]
                if item is None:
                    _REMOVE(view, partition, sort)
                else:
                    _SET(view, partition, sort, item)
            if [*dynamodb._index_key_schemas(view)] != [*dynamodb._index_key_schemas(table)]:
                view.pop(dynamodb._INDEX_MEMBERS, None)
            view.update({name: value for name, value in table.items() if name not in _OWN})
        return view


class Replicas:
    """The copies of all tables.

    Args:
        rules: how long writes lag.
        clock: seconds, steadily growing.
    """

    def __init__(self, rules: DynamoDbSwitches, clock: Callable[[], float]) -> None:
        self._rules = rules
        self._clock = clock
        self._copies: dict[str, Replica] = {}

    def use(self, rules: DynamoDbSwitches) -> None:
        """Replace the rules; what still lagged is shown at once."""
        self._rules = rules
        self._copies = {}

    def install(self) -> None:
        """Follow every write of ministack from now on, in place of any other object that did."""
        _hook.replicas = self
        _hook.install()

    @contextmanager
    def reading(self, operation: str, request: dict[str, Any]) -> Iterator[None]:
        """Answer the reads of a block from the copies, as far as the request allows AWS to do so."""
        token = _reading.set(frozenset(self._lagging(operation, request)))
        try:
            yield
        finally:
            _reading.reset(token)

    def _lagging(self, operation: str, request: dict[str, Any]) -> Iterator[str]:
        if operation == "BatchGetItem" and self._rules.stale_reads:
            for name, wanted in (request.get("RequestItems") or {}).items():
                if isinstance(wanted, dict) and not wanted.get("ConsistentRead"):
                    yield _name(name)
            return
        rule = self._rules.index_lag if request.get("IndexName") else self._rules.stale_reads
        if rule and operation in _SINGLE_READS and not request.get("ConsistentRead"):
            yield _name(request.get("TableName", ""))

    def before_write(self, table: Table, partition: Any, sort: Any, item: Any) -> None:
        """Note a write or, with None, a deletion that the table is about to take."""
        if not (self._rules.index_lag or self._rules.stale_reads) or "TableArn" not in table:
            return
        self._copy(table).change(partition, sort, item, self._clock(), self._rules)

    def as_of(self, table: Table) -> Table:
        """Return the table as a reader sees it that may see it late."""
        return self._copy(table).as_of(table, self._clock())

    def _copy(self, table: Table) -> Replica:
        arn = table["TableArn"]
        found = self._copies.get(arn)
        if found is None or not found.follows(table):
            found = self._copies[arn] = Replica(table)
        return found


class _Tables(AccountRegionScopedDict):  # type: ignore[misc]
    """ministack's tables, which shows the copy of a table to a request that reads it."""

    __slots__ = ()

    def __getitem__(self, key: str) -> Any:
        return _shown(key, super().__getitem__(key))

    def get(self, key: str, default: Any = None) -> Any:
        return _shown(key, super().get(key, default))


def _shown(name: str, table: Any) -> Any:
    if name in _reading.get() and table is not None and _hook.replicas is not None:
        return _hook.replicas.as_of(table)
    return table


class _Hook:
    """What stands in ministack's functions; it is put there once, however many `Replicas` a process makes."""

    def __init__(self) -> None:
        self.replicas: Replicas | None = None
        self._installed = False

    def install(self) -> None:
        if self._installed:
            return
        self._installed = True
        set_item, remove_item = dynamodb._set_item, dynamodb._remove_item
        dynamodb._tables.__class__ = _Tables

        def followed_set(table: Table, partition: Any, sort: Any, item: Any) -> Any:
            if self.replicas is not None:
                self.replicas.before_write(table, partition, sort, item)
            return set_item(table, partition, sort, item)

        def followed_remove(table: Table, partition: Any, sort: Any) -> Any:
            if self.replicas is not None:
                self.replicas.before_write(table, partition, sort, None)
            return remove_item(table, partition, sort)

        dynamodb._set_item, dynamodb._remove_item = followed_set, followed_remove


_hook: Final = _Hook()


def _name(name: Any) -> str:
    return str(dynamodb._normalize_table_name(name))
