"""Reads source files as text, to find where a name of the contract is used."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def text_of(*patterns: str) -> str:
    """Return the text of all files that glob patterns match.

    Raises:
        ValueError: a pattern matches no file.
    """
    texts = []
    for pattern in patterns:
        paths = sorted(ROOT.glob(pattern))
        if not paths:
            raise ValueError(f"no file matches {pattern}")
        texts += [path.read_text(encoding="utf-8") for path in paths]
    return "\n".join(texts)


def names(word: str, *patterns: str) -> bool:
    """Whether a word stands in one of the files that glob patterns match."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text_of(*patterns)) is not None


@cache
def text_of_tests() -> str:
    """Return the text of all tests, without those that check completeness and the recipes of changes."""
    paths = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("packages/*/tests/**/*.py")]
    excluded = (ROOT / "tests/completeness", ROOT / "tests/contributing")
    return "\n".join(
        path.read_text(encoding="utf-8") for path in sorted(paths) if not any(map(path.is_relative_to, excluded))
    )


def missing(problem: str, names: Iterable[str], remedy: str) -> str:
    """Return the message of a check: what is missing where, and what to do."""
    return f"{problem}: {', '.join(names)}; {remedy}"
