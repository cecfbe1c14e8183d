"""An append-only file of JSON lines that survives the death of its writer."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class JournalDamagedError(Exception):
    """A line in the middle of a journal cannot be read, so what follows cannot be trusted."""


class Journal:
    """Appends records; each is in the kernel's hands when `append` returns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        _cut_torn_tail(path)
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.size = os.fstat(self._descriptor).st_size

    def append(self, record: Any) -> None:
        """Write one record as one line with one system call, so that a crash leaves it whole or absent.

        Args:
            record: a JSON value.
        """
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        written = os.write(self._descriptor, line)
        while written < len(line):
            written += os.write(self._descriptor, line[written:])
        self.size += len(line)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def read_journal(path: Path) -> Iterator[Any]:
    """Records of a journal in the order of their writing; a last line that was cut off is left out.

    Raises:
        JournalDamagedError: a line that is not the last one is unreadable.
    """
    if not path.exists():
        return
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                yield json.loads(line)
            except ValueError as error:
                raise JournalDamagedError(f"{path}, line {number}: {error}") from error


def _cut_torn_tail(path: Path) -> None:
    """Remove a last line without its end, so that the next record does not continue it."""
    if not path.exists():
        return
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole != len(content):
        os.truncate(path, whole)
