"""A recipe: one change of a kind, as edits of the files that its table in CONTRIBUTING.md lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.contributing.edits import Edit
from tests.contributing.page import Row


@dataclass(frozen=True)
class Recipe:
    """One change.

    Attributes:
        heading: the section of CONTRIBUTING.md.
        edits: the edits of all files that are written by hand, and of snapshots that are not synthesised here.
        narrowed: by command of the page, the command to run instead: the same check for one environment only.
        updates: by command of the page, the command that writes its files, for snapshots that are synthesised here.
    """

    heading: str
    edits: tuple[Edit, ...]
    narrowed: Mapping[str, str] = field(default_factory=dict)
    updates: Mapping[str, str] = field(default_factory=dict)

    def command(self, row: Row) -> str:
        """Return the command to run for a row."""
        return self.narrowed.get(row.check, row.check)
