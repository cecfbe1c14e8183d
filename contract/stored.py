"""What the backend stores, and which revisions can read it: tables, items, and the events in the table Outbox.

Going back to older functions is safe only if they can read what newer ones have stored. Each change of a stored shape
is a new data version, which says since which version the functions can read it. `make rollback` compares the versions
of two revisions, and their shapes. `python -P contract/stored.py` prints both as JSON for the contract on
PYTHONPATH, so that a revision that does not have this file yet can be described too.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from typing import Any, Final

import msgspec

from contract import items, tables
from contract.events import EVENTS

_TEXTS: Final = ("description", "title", "examples")


class DataVersion(msgspec.Struct, frozen=True):
    """One version of everything that is stored.

    Args:
        number: increases by one with each change of a stored shape.
        readable_since: the oldest version whose functions can read what this version stores, and keep it intact when
            they write the same item. An optional attribute that older functions may ignore leaves it as it was.
        digest: the digest of the shapes, which `digest()` returns.
        change: what changed, in one sentence.
    """

    number: int
    readable_since: int
    digest: str
    change: str


HISTORY: Final = (DataVersion(1, 1, "ee986c394ce00391", "The first version that has a number."),)
"""Every version, the newest last. Add one; never change an entry of a revision that was deployed."""

CURRENT: Final = HISTORY[-1]


def shapes() -> dict[str, Any]:
    """Return the shapes of everything that is stored: tables by entity, and events by type."""
    return {"tables": {table.entity: _table(table) for table in tables.TABLES}, "events": _events()}


def digest(stored: dict[str, Any] | None = None) -> str:
    """Return a digest of shapes, those of this revision by default; texts and orders do not change it."""
    canonical = json.dumps(shapes() if stored is None else stored, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _table(table: tables.Table) -> dict[str, Any]:
    keys = [table.partition, *([table.sort] if table.sort else [])]
    return {
        "key": {key.name: key.type for key in keys},
        "indexes": {
            index.name: [index.partition.name, index.sort.name if index.sort else "", index.projection]
            for index in table.indexes
        },
        "ttl": table.ttl or "",
        "attributes": {
            name: kind for names, kind, _ in items.ITEMS.get(table.entity, ()) for name in re.split(r",\s*", names)
        },
    }


def _events() -> dict[str, Any]:
    models = tuple(dict.fromkeys(model for each in EVENTS.values() for model in each))
    _, components = msgspec.json.schema_components(models, ref_template="{name}")
    names = {model.__name__: model.__struct_config__.tag for model in models}
    return {str(names.get(name, name)): _without_texts(schema) for name, schema in components.items()}


def _without_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_texts(item) for key, item in value.items() if key not in _TEXTS or key == "properties"}
    return [_without_texts(item) for item in value] if isinstance(value, list) else value


def _declared() -> DataVersion | None:
    """Return the data version of the contract on the path; None if it has none."""
    try:
        from contract import stored
    except ImportError:
        return None
    return msgspec.convert(msgspec.to_builtins(stored.CURRENT), DataVersion)


if __name__ == "__main__":
    described = {"version": _declared(), "digest": digest(), "shapes": shapes()}
    sys.stdout.write(msgspec.json.encode(described).decode())
