"""The glossary: every place in code exists, and no file uses a retired word."""

from __future__ import annotations

import functools
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
GLOSSARY: Final = "docs/reference/glossary.md"
SUFFIXES: Final = frozenset(
    {".py", ".md", ".ts", ".tsx", ".js", ".mjs", ".css", ".html", ".toml", ".ini", ".yaml", ".json", ".txt", ""}
)
EXEMPT: Final = (
    GLOSSARY,
    "package-lock.json",
    "packages/appsync-events-local/src/appsync_events_local/runtime/vendor/",
)
CELL: Final = re.compile(r"(?<!\\)\|")


def _rows(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading."""
    section = (ROOT / GLOSSARY).read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().replace("\\|", "|") for cell in CELL.split(line)[1:-1]] for line in lines[2:]]


TERMS: Final = _rows("Terms")
RETIRED: Final = {pattern.strip("`"): instead for pattern, instead in _rows("Retired words")}


@functools.cache
def _lines() -> list[tuple[str, str, str]]:
    """Return every line of the repository: its place, its text, and its text with the parts of names as words."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    names = [name for name in listed.split("\0") if name and not name.startswith(EXEMPT)]
    return [
        (f"{name}:{number}", line, words_of(line))
        for name in names
        if Path(name).suffix in SUFFIXES and (ROOT / name).is_file()
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), start=1)
    ]


def words_of(line: str) -> str:
    """Return a line with the parts of snake_case and camelCase names as separate words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", line).replace("_", " ")


def test_every_word_of_a_name_is_compared() -> None:
    assert words_of("def caller_is_notified(chatClient: ChatClient)") == (
        "def caller is notified(chat Client: Chat Client)"
    )


def test_terms_are_listed_once() -> None:
    terms = [term for term, *_ in TERMS]
    assert len(terms) == len(set(terms)) > 0


@pytest.mark.parametrize(("term", "place"), [(term, place) for term, _, place in TERMS])
def test_the_place_of_a_term_exists(term: str, place: str) -> None:
    path, *names = re.findall(r"`([^`]+)`", place)
    text = (ROOT / path).read_text(encoding="utf-8")
    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == [], term


@pytest.mark.parametrize("pattern", RETIRED)
def test_a_retired_word_is_not_used(pattern: str) -> None:
    finder = re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE)
    uses = [
        f"{place}: {line.strip()[:120]}"
        for place, line, words in _lines()
        if finder.search(line) or finder.search(words)
    ]
    assert uses == [], f"{len(uses)} uses; write instead: {RETIRED[pattern]}\n" + "\n".join(uses[:20])
