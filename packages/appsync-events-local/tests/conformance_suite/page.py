"""Writes docs/conformance.md: every promise, and what shows it. `python -m conformance_suite.page`."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from conformance_suite.fact import Fact
from conformance_suite.facts import SECTIONS
from conformance_suite.rows import ROWS, rows_of
from conformance_suite.table import Evidence, Place, Row

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "conformance.md"


def page() -> str:
    """The page's text."""
    unverified = sum(row.evidence is Evidence.UNVERIFIED for row in ROWS)
    counts = {place: len(rows_of(place)) for place in Place}
    lines = [
        "# Conformance of the Events service",
        "",
        "Written by `python -m conformance_suite.page` from `conformance_suite/`; a test holds it to that.",
        "",
        f"The table has {len(ROWS)} rows, each a conversation: frames and requests in, frames and answers out.",
        f"{counts[Place.CORE]} of them run against the protocol core, {counts[Place.SERVICE]} against the running "
        f"service over sockets and HTTP, and {counts[Place.AWS]} against",
        "AWS by `make verify ENV=...`, on an Event API that exists as long as the run. "
        f"{unverified} rows say what this service chose where AWS",
        "documents nothing that can be relied on: on AWS they are printed (what we chose, what AWS did), not failed, "
        "and `appsync-events-local assumptions`",
        "gives the reasons. A number below counts rows; names are tests.",
    ]
    for title, facts in SECTIONS.items():
        if all(fact.instead is not None for fact in facts):
            continue
        lines += ["", f"## {title}", "", "| promise | shown by |", "| --- | --- |"]
        lines += [f"| {fact.promise} | {_shown(fact)} |" for fact in facts if fact.instead is None]
    lines += ["", "## What it does not imitate", "", "| on AWS | here |", "| --- | --- |"]
    for facts in SECTIONS.values():
        lines += [f"| {fact.promise} | {fact.instead} |" for fact in facts if fact.instead is not None]
    return "\n".join(lines) + "\n"


def _shown(fact: Fact) -> str:
    rows = [row for row in ROWS if fact.id in row.facts]
    parts = [_counted(rows)] if rows else []
    parts += [f"`{test.split('::')[1]}`" for test in fact.tests]
    return ", ".join(parts)


def _counted(rows: list[Row]) -> str:
    chosen = sorted({row.choice for row in rows if row.choice is not None})
    return str(len(rows)) + (f" (chosen: {', '.join(chosen)})" if chosen else "")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
