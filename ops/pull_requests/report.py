"""Makes the change report of every environment: `python -m ops.pull_requests.report --base REVISION --directory DIR`.

Writes the full report of each environment and one comment about all of them. It needs no credentials.

Exit status: 0 nothing at or above an environment's threshold, 1 refused by a threshold, 2 a comparison failed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from ops import diff
from ops.pull_requests.comment import COMMENT_FILE, COMMENT_LIMIT, MARKER
from stacks.config.fields import LOCAL
from stacks.config.load import environment_names

FAILED: Final = 2
_MARGIN: Final = 2_000
"""Characters of the comment that the reports do not use: headings, and the note about the run."""

Compare = Callable[[list[str]], int]


def make(base: str, directory: Path, environments: Sequence[str], compare: Compare = diff.main) -> int:
    """Write the reports of the environments and the comment; return the exit status.

    Args:
        base: the revision to compare the checkout with.
        directory: where the files are written; it is created.
        environments: the environments.
        compare: compares one environment (`ops.diff.main`).
    """
    directory.mkdir(parents=True, exist_ok=True)
    limit = (COMMENT_LIMIT - _MARGIN) // len(environments)
    parts, status = [], 0
    for name in environments:
        comment, page = directory / f"comment-{name}.md", directory / f"{name}.md"
        arguments = ["--env", name, "--base", base, "--markdown", str(page)]
        found = compare([*arguments, "--comment", str(comment), "--comment-limit", str(limit)])
        status = max(status, found)
        parts.append(_part(name, found, comment))
    (directory / COMMENT_FILE).write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return status


def _part(name: str, status: int, comment: Path) -> str:
    if status == FAILED or not comment.is_file():
        return f"## Change report: {name}\n\n⚠️ The comparison failed; the log of the run says why."
    text = comment.read_text(encoding="utf-8").replace(MARKER, "").strip()
    comment.unlink()
    return text


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m ops.pull_requests.report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--base", required=True, help="git revision to compare this checkout with")
    parser.add_argument("--directory", type=Path, required=True, help="directory to write the reports into")
    known = [name for name in environment_names() if name != LOCAL]
    parser.add_argument(
        "--env", nargs="+", choices=known, default=known, help=f"environments (default: {' '.join(known)})"
    )
    chosen = parser.parse_args(arguments)
    status = make(chosen.base, chosen.directory, chosen.env)
    print(f"{chosen.directory}: reports of {', '.join(chosen.env)}, and {COMMENT_FILE}")
    return status


if __name__ == "__main__":
    sys.exit(main())
