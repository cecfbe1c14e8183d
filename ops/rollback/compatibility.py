"""Whether older functions can work with what newer ones have stored: reasons that forbid going back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ops.change_report.comparison import Template, imports, outputs
from ops.rollback.contracts import Stored

_FUNCTION: Final = "AWS::Lambda::Function"
_TABLE: Final = "AWS::DynamoDB::Table"
_INDEX: Final = re.compile(r"table/([\w.-]+)/index/([\w.-]+)")


def stored_reasons(newer: Stored, older: Stored) -> Iterator[str]:
    """Yield why older functions must not work on the data of a newer revision, by the declared data versions.

    Args:
        newer: what the deployed revision stores.
        older: what the revision to go back to stores.
    """
    if newer.digest == older.digest:
        return
    if older.version is None or newer.version is None or newer.readable_since is None:
        unknown = older.revision if older.version is None else newer.revision
        yield (
            f"{unknown} declares no data version, and the stored shapes differ ({_differences(newer, older)}). "
            "Compare them, and go back by hand only if the older functions can read the data."
        )
    elif older.version == newer.version:
        yield (
            f"Both revisions declare data version {newer.version}, but their stored shapes differ "
            f"({_differences(newer, older)}): one of them changed a shape without a new version. "
            "See contract/stored.py."
        )
    elif older.version < newer.readable_since:
        yield (
            f"The data has version {newer.version}, which functions of version {newer.readable_since} and later can "
            f"read; {older.revision} has version {older.version}. It does not know: {_differences(newer, older)}."
        )


def _differences(newer: Stored, older: Stored) -> str:
    found = list(_table_differences(newer, older))
    found += [f"event {each}" for each in sorted(newer.events.keys() - older.events.keys())]
    found += [
        f"other fields of {each}"
        for each in sorted(newer.events.keys() & older.events.keys())
        if newer.events[each] != older.events[each]
    ]
    return ", ".join(found[:_LISTED]) + (f" and {len(found) - _LISTED} more" if len(found) > _LISTED else "")


_LISTED: Final = 12


def _table_differences(newer: Stored, older: Stored) -> Iterator[str]:
    for entity, table in sorted(newer.tables.items()):
        former = older.tables.get(entity)
        if former is None:
            yield f"table {entity}"
            continue
        for part in ("attributes", "indexes", "key"):
            for name in sorted(table[part].keys() | former[part].keys()):
                if table[part].get(name) != former[part].get(name):
                    yield f"{entity}.{name.removesuffix('?')}"
        if table["ttl"] != former["ttl"]:
            yield f"the time to live of {entity}"


def unknown_events(newer: Stored, older: Stored) -> frozenset[str]:
    """Return the types of events that the newer revision may have stored and the older one does not know."""
    return frozenset(newer.events.keys() - older.events.keys())


def missing_resources(
    deployed: Mapping[str, Template], older: Mapping[str, Template], stacks: Iterable[str]
) -> Iterator[str]:
    """Yield what the older stacks refer to and the deployed ones no longer have: exports, tables, indexes.

    Args:
        deployed: the deployed templates by stack name.
        older: the templates of the revision to go back to, by stack name.
        stacks: the names of the stacks that go back.
    """
    going = set(stacks)
    kept = {name: template for name, template in deployed.items() if name not in going}
    exported = {name for template in kept.values() for name in outputs(template, exported=True)}
    exported |= {name for stack in going for name in outputs(older.get(stack, {}), exported=True)}
    tables = {
        resource["Properties"].get("TableName", logical_id): resource["Properties"]
        for template in kept.values()
        for logical_id, resource in template.get("Resources", {}).items()
        if resource["Type"] == _TABLE
    }
    for stack in sorted(going):
        template = older.get(stack, {})
        for name in sorted(set(imports(template)) - exported):
            yield f"{stack} of the older revision imports {name}, which no deployed stack exports."
        yield from _missing_tables(stack, template, tables)


def _missing_tables(stack: str, template: Template, tables: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    variables = {
        (name, value)
        for resource in template.get("Resources", {}).values()
        if resource["Type"] == _FUNCTION
        for name, value in resource["Properties"].get("Environment", {}).get("Variables", {}).items()
        if name.endswith("_TABLE") and isinstance(value, str)
    }
    for name, table in sorted(variables):
        if table not in tables:
            yield f"{stack} of the older revision uses the table {table} ({name}), which is no longer deployed."
    for table, index in sorted(set(_INDEX.findall(str(template)))):
        known = {each["IndexName"] for each in tables.get(table, {}).get("GlobalSecondaryIndexes", [])}
        if table in tables and index != "*" and index not in known:
            yield f"{stack} of the older revision queries the index {index} of {table}, which is no longer deployed."
