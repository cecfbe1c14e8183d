"""Compares restored copies with the live tables, and copies back what is missing or went back.

Both are one walk over the restored tables; a comparison is the walk without writes. Every write is conditional on the
live item as it was compared, so that a write of a user in between is never overwritten: the item is compared again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from contract.tables import Table
from handlers.adapters.dynamodb.codec import from_item, to_item
from ops.data.pace import Pace
from ops.data.restore import admission
from ops.data.restore.admission import Refused, Sources
from ops.data.restore.job_files import Audit, Progress
from ops.data.restore.rules import COPIED, COUNTERS, TableRule, Verdict
from ops.data.table_access import key_of

_TRIES: Final = 5


class TableResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one table.

    Args:
        table: its entity.
        counts: number of items by what was found (`Verdict`), and by what was done: `copied`, `raised`, `left out`.
        reasons: number of items that were left out, by reason.
    """

    table: str
    counts: Mapping[str, int]
    reasons: Mapping[str, int]


class Copy:
    """One walk over the restored tables.

    Args:
        sources: live tables, restored copies, erasures.
        pace: limits the writes.
        progress, audit: the files of the job; None where nothing is written.
    """

    def __init__(self, sources: Sources, pace: Pace, progress: Progress | None, audit: Audit | None) -> None:
        self._sources = sources
        self._pace = pace
        self._progress = progress
        self._audit = audit

    @property
    def _writes(self) -> bool:
        return self._audit is not None

    def run(self, only: Iterable[str] = ()) -> list[TableResult]:
        """Walk over the tables in the order of the rules and return a result for each.

        Args:
            only: entities of the tables to walk over; all of them by default.
        """
        chosen = set(only)
        return [self._table(rule) for rule in COPIED if not chosen or rule.table.entity in chosen]

    def _table(self, rule: TableRule) -> TableResult:
        entity = rule.table.entity
        counts: Counter[str] = Counter(self._progress.counts_of(entity) if self._progress else {})
        if not (self._progress and self._progress.is_done(entity)):
            start = self._progress.start_of(entity) if self._progress else None
            for items, after in self._sources.restored.pages(rule.table, start):
                for item in items:
                    counts.update(self._item(rule, item))
                if self._progress:
                    self._progress.save(entity, after, counts)
                self._pace.report(f"{entity}: {_total(counts)} items compared, {counts['copied']} copied")
        self._pace.report(f"{entity}: {_total(counts)} items compared, {counts['copied']} copied", last=True)
        reasons = {name.removeprefix(_REASON): n for name, n in counts.items() if name.startswith(_REASON)}
        return TableResult(
            table=entity,
            counts={name: n for name, n in counts.items() if not name.startswith(_REASON)},
            reasons=reasons,
        )

    def _item(self, rule: TableRule, stored: Mapping[str, Any]) -> list[str]:
        """Compare one item, and write it where it is missing or went back; return what to count."""
        restored = from_item(stored)
        for _ in range(_TRIES):
            live = self._sources.live.get(rule.table, **key_of(rule.table, restored))
            verdict = rule.verdict(restored, live)
            if verdict not in (Verdict.MISSING, Verdict.OLDER, Verdict.MIXED):
                return [verdict.value]
            if verdict is Verdict.MIXED:
                done = self._raise(rule, restored, live or {})
            else:
                done = self._copy(rule, stored, restored, live)
            if done is not None:
                return [verdict.value, *done]
        return [verdict.value, "left out", f"{_REASON}it changes all the time"]

    def _copy(
        self, rule: TableRule, stored: Mapping[str, Any], restored: dict[str, Any], live: dict[str, Any] | None
    ) -> list[str] | None:
        """Write a restored item in place of none or of an older one; None where the live item has changed meanwhile."""
        changes = admission.admit(rule.table, restored, self._sources)
        if isinstance(changes, Refused):
            return ["left out", f"{_REASON}{changes.reason}"]
        if not self._writes:
            return ["to copy"]
        kept = {name: value for name, value in stored.items() if name not in changes}
        item = kept | to_item(changes)
        self._pace.before_write()
        if live is None:
            written = self._sources.live.put(rule.table, item, f"attribute_not_exists(#{rule.table.partition.name})")
        else:
            condition, values = _unchanged(rule, live)
            written = self._sources.live.put(rule.table, item, condition, **values)
        if not written:
            return None
        self._record(rule.table, restored, "put" if live is None else "replace")
        return ["copied"]

    def _raise(self, rule: TableRule, restored: dict[str, Any], live: dict[str, Any]) -> list[str] | None:
        """Raise the numbers that went back in an item that otherwise went on."""
        behind = [name for name in rule.behind(restored, live) if name in COUNTERS]
        if not behind:
            return ["left out", f"{_REASON}it has newer and older numbers"]
        if not self._writes:
            return ["to raise"]
        condition, values = _unchanged(rule, live)
        new = {f"new_{name}": restored[name] for name in behind}
        change = "SET " + ", ".join(f"#{name} = :new_{name}" for name in behind)
        self._pace.before_write()
        if not self._sources.live.update(rule.table, key_of(rule.table, live), change, condition, **values, **new):
            return None
        self._record(rule.table, restored, f"raise {', '.join(behind)}")
        return ["raised"]

    def _record(self, table: Table, item: Mapping[str, Any], action: str) -> None:
        if self._audit is not None:
            self._audit.write(table.entity, key_of(table, item), action)


_REASON: Final = "reason: "


def _unchanged(rule: TableRule, live: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the condition that the growing attributes of an item are still those that were compared."""
    terms, values = [f"attribute_exists(#{rule.table.partition.name})"], {}
    for name in rule.grows:
        if live.get(name) is None:
            terms.append(f"attribute_not_exists(#{name})")
        else:
            terms.append(f"#{name} = :is_{name}")
            values[f"is_{name}"] = live[name]
    return " AND ".join(terms), values


def _total(counts: Mapping[str, int]) -> int:
    return sum(counts.get(each.value, 0) for each in Verdict)
