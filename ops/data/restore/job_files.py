"""The files of one restore: how far it is, so that it can be continued, and what it copied."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.data.erasures import iso_now
from ops.errors import CommandError


class Progress:
    """How far a copy is, in a file that is written after each page.

    Args:
        path: the file.
        job: environment and time of the restore; another job's file is refused.
    """

    def __init__(self, path: Path, job: Mapping[str, str]) -> None:
        self._path = path
        self._state: dict[str, Any] = {"job": dict(job), "tables": {}}
        if path.exists():
            self._state = _read(path)
            if self._state.get("job") != dict(job):
                raise CommandError(
                    f"{path} belongs to another restore: {self._state.get('job')}. Choose another --work."
                )

    def start_of(self, entity: str) -> dict[str, Any] | None:
        """Return the key after which a table is continued; None for its beginning."""
        start: dict[str, Any] | None = self._state["tables"].get(entity, {}).get("after")
        return start

    def counts_of(self, entity: str) -> dict[str, int]:
        """Return the counts of the pages that are done."""
        return dict(self._state["tables"].get(entity, {}).get("counts", {}))

    def is_done(self, entity: str) -> bool:
        """Return whether every page of a table is done."""
        return bool(self._state["tables"].get(entity, {}).get("done"))

    def save(self, entity: str, after: Mapping[str, Any] | None, counts: Mapping[str, int]) -> None:
        """Record that all pages up to a key are done; without a key, the table is."""
        self._state["tables"][entity] = {"after": after, "done": after is None, "counts": dict(counts)}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".new")
        temporary.write_text(json.dumps(self._state), encoding="utf-8")
        temporary.replace(self._path)


def _read(path: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(
            f"{path} cannot be read: {error}. Remove it to begin again; nothing is copied twice."
        ) from error
    return state


class Audit:
    """Which items were written, one JSON object a line: keys and actions, no content."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, entity: str, key: Mapping[str, Any], action: str) -> None:
        """Append one line; it is written before the next item is."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = {"at": iso_now(), "table": entity, "key": dict(key), "action": action}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
