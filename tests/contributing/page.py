"""Reads CONTRIBUTING.md: for each kind of change the rows of its table, `file | change | check`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "CONTRIBUTING.md"
GENERATE = "python -m tools.generate"
"""The command behind `make generate`; with `--check` it is the check of the files that it writes."""

_CODE = re.compile(r"`([^`]+)`")
_COLUMNS = ["file", "change", "check"]


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        files: paths below the repository; `{name}` stands for a part of a path that depends on the change.
        check: the command that fails when the row is forgotten.
    """

    files: tuple[str, ...]
    check: str

    @property
    def id(self) -> str:
        """The first file, for test reports."""
        return self.files[0]

    @property
    def is_generated(self) -> bool:
        """Whether `make generate` writes the files."""
        return self.check == f"{GENERATE} --check"

    def matches(self, path: str) -> bool:
        """Whether the row lists a path."""
        return any(_pattern(file).fullmatch(path) for file in self.files)


@cache
def _pattern(file: str) -> re.Pattern[str]:
    parts = re.split(r"\{[a-z_ ]+\}", file)
    return re.compile(r"[^/]+".join(map(re.escape, parts)))


def tables(text: str) -> dict[str, tuple[Row, ...]]:
    """Return the rows of each section that has a table with the columns file, change and check."""
    found: dict[str, tuple[Row, ...]] = {}
    for section in re.split(r"(?m)^## ", text)[1:]:
        heading, _, body = section.partition("\n")
        lines = [line for line in body.splitlines() if line.startswith("|")]
        if not lines or _cells(lines[0]) != _COLUMNS:
            continue
        found[heading.strip()] = tuple(_row(heading, _cells(line)) for line in lines[2:])
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _row(heading: str, cells: list[str]) -> Row:
    if len(cells) != len(_COLUMNS):
        raise ValueError(f"CONTRIBUTING.md, {heading}: a row must have {len(_COLUMNS)} cells: {cells}")
    files, checks = _CODE.findall(cells[0]), _CODE.findall(cells[2])
    if not files or len(checks) != 1:
        raise ValueError(f"CONTRIBUTING.md, {heading}: a row must have files and one command in backticks: {cells}")
    return Row(tuple(files), checks[0])


@cache
def kinds() -> dict[str, tuple[Row, ...]]:
    """Return the tables of CONTRIBUTING.md by heading."""
    return tables(PAGE.read_text(encoding="utf-8"))
