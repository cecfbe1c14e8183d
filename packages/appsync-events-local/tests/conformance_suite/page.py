"""The conformance page: every fact and the rows and tests that show it.

`python -m conformance_suite.page [FILE]` writes it to FILE; the default is `docs/conformance.md` in the working
directory.
"""

from __future__ import annotations

import sys
from pathlib import Path

from conformance_suite.fact import Fact
from conformance_suite.facts import SECTIONS
from conformance_suite.rows import ROWS, rows_of
from conformance_suite.table import Evidence, Row, Target


def page() -> str:
    """The page as Markdown."""
    unverified = sum(row.evidence is Evidence.UNVERIFIED for row in ROWS)
    counts = {target: len(rows_of(target)) for target in Target}
    lines = [
        "# Conformance of the Events service",
        "",
        "Written by `python -m conformance_suite.page` from `conformance_suite/`; a test compares the two.",
        "",
        f"The table has {len(ROWS)} rows. A row is a conversation: the client's frames and requests, and the expected "
        "answers.",
        f"{counts[Target.CORE]} of them run against the protocol core, {counts[Target.SERVICE]} against the running "
        f"service over sockets and HTTP, and {counts[Target.AWS]} against",
        "AWS by `make verify ENV=...`, on an Event API that exists as long as the run. "
        f"{unverified} rows show an assumption, made where AWS",
        "documents nothing reliable: on AWS they are reported (the assumption, and what AWS did), not failed. "
        "`appsync-events-local assumptions`",
        "prints the reasons. A number below counts rows; names are tests.",
    ]
    for title, facts in SECTIONS.items():
        if all(fact.instead is not None for fact in facts):
            continue
        lines += ["", f"## {title}", "", "| behaviour | shown by |", "| --- | --- |"]
        lines += [f"| {fact.promise} | {_shown(fact)} |" for fact in facts if fact.instead is None]
    lines += ["", "## Not imitated", "", "| on AWS | here |", "| --- | --- |"]
    for facts in SECTIONS.values():
        lines += [f"| {fact.promise} | {fact.instead} |" for fact in facts if fact.instead is not None]
    return "\n".join(lines) + "\n"


def _shown(fact: Fact) -> str:
    rows = [row for row in ROWS if fact.id in row.facts]
    parts = [_counted(rows)] if rows else []
    parts += [f"`{test.split('::')[1]}`" for test in (*fact.tests, *fact.repository_tests)]
    return ", ".join(parts)


def _counted(rows: list[Row]) -> str:
    assumptions = sorted({row.assumption for row in rows if row.assumption is not None})
    return str(len(rows)) + (f" (assumed: {', '.join(assumptions)})" if assumptions else "")


if __name__ == "__main__":
    (path,) = sys.argv[1:] or ["docs/conformance.md"]
    Path(path).write_text(page(), encoding="utf-8")
