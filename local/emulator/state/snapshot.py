"""Snapshot files of one generation: one per service, rewritten only when changed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack.core import persistence

StateReader = Callable[[], dict[str, Any] | None]
_READS_MAX = 50
_CHANGED = "changed size during iteration"


class SnapshotFiles:
    """Writes service states in ministack's own file format, so that its loader reads them."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._digests: dict[str, str] = {}

    def use(self, folder: Path) -> None:
        """Rewrite single files in `folder` from now on."""
        self._folder = folder

    def write_all(self, folder: Path, readers: dict[str, StateReader]) -> None:
        """Fill a new generation; files that did not change are linked from the last one.

        Args:
            folder: the new generation.
            readers: state key to the function that returns the service's state.
        """
        for key, read in readers.items():
            text = _encode(key, read)
            if text is None:
                continue
            digest = _digest(text)
            previous = self._folder / f"{key}.json" if self._folder is not None else None
            if previous is not None and self._digests.get(key) == digest and previous.exists():
                os.link(previous, folder / f"{key}.json")
            else:
                (folder / f"{key}.json").write_text(text, encoding="utf-8")
            self._digests[key] = digest

    def write_one(self, key: str, read: StateReader) -> bool:
        """Rewrite one service's file if its state changed.

        Returns:
            Whether the file was written.
        """
        if self._folder is None:
            return False
        text = _encode(key, read)
        if text is None or self._digests.get(key) == (digest := _digest(text)):
            return False
        # Not forced to the disk: this stands between a caller and its answer.
        temporary = self._folder / f".{key}.tmp"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(self._folder / f"{key}.json")
        self._digests[key] = digest
        return True


def _encode(key: str, read: StateReader) -> str | None:
    for _ in range(_READS_MAX - 1):
        try:
            return _encode_once(key, read)
        except RuntimeError as error:
            # Services change their state on threads of their own; what was read in the middle of that is read again.
            if _CHANGED not in str(error):
                raise
    return _encode_once(key, read)


def _encode_once(key: str, read: StateReader) -> str | None:
    state = read()
    if state is None:
        return None
    document = {"__ministack_format__": persistence._state_format_version(key), "payload": state}
    return json.dumps(document, default=persistence._json_default)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
