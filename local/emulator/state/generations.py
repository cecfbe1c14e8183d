"""Folders of snapshot files, of which exactly one counts."""

from __future__ import annotations

import shutil
from pathlib import Path

from local.state import write_atomically

JOURNAL_NAME = "journal.jsonl"


class Generations:
    """Numbered snapshot folders below one root; `current` names the complete one."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._pointer = root / "current"

    def current(self) -> Path | None:
        """The complete generation, or None when nothing was saved yet."""
        if not self._pointer.exists():
            return None
        return self._root / self._pointer.read_text(encoding="utf-8").strip()

    def begin(self) -> Path:
        """An empty folder for the next generation; leftovers of one that was never completed are removed."""
        now = self.current()
        number = 1 + (int(now.name) if now is not None else 0)
        folder = self._root / f"{number:06d}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def complete(self, folder: Path) -> None:
        """Make `folder` the one that counts, and delete the others."""
        write_atomically(self._pointer, folder.name)
        for other in self._root.iterdir():
            if other.is_dir() and other.name.isdigit() and other != folder:
                shutil.rmtree(other, ignore_errors=True)
