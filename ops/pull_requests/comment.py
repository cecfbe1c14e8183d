"""The comment of a pull request: its marker, its limits, and how text of untrusted code becomes harmless.

This module and `publish` import the standard library only: they run without an installation, with a token that may
write comments.
"""

from __future__ import annotations

import re
from typing import Final

COMMENT_LIMIT: Final = 65_000
"""Characters of a comment. GitHub refuses a body of more than 65,536 characters."""
MARKER: Final = "<!-- pantherkolab change report -->"
"""First line of the comment, by which a workflow finds the one comment that it updates."""
ARTIFACT: Final = "change-report"
"""Name of the artifact that the workflow of a pull request uploads, and that `publish` reads."""
COMMENT_FILE: Final = "comment.md"
"""File of the artifact that becomes the comment."""

_INVISIBLE: Final = "\u200b"
_CONTROL: Final = re.compile(r"[^\n\t\x20-\x7e\u00a0-\u200a\u2010-\u2027\u2030-\u205f\u2070-\ud7ff\ue000-\ufefe]")
_TAG: Final = re.compile(r"<(?=[A-Za-z/!?])(?!/?(?:details|summary)>)")
_ACTIVE: Final = (
    (re.compile(r"(?<=[@#])(?=\w)"), _INVISIBLE),  # mentions of users, and references to issues
    (re.compile(r"\](?=[(\[:])"), f"]{_INVISIBLE}"),  # links and images
    (re.compile(r"(?i)(?<=\w)(?=://)|(?<=\bwww)(?=\.)"), _INVISIBLE),  # addresses that become links
    (re.compile(r"&(?!(?:lt|gt|amp);)(?=[#A-Za-z])"), f"&{_INVISIBLE}"),  # characters by number or name, such as @
    (_TAG, f"<{_INVISIBLE}"),
)


def harmless(text: str) -> str:
    """Return Markdown without mentions, links and images, and without HTML except `<details>`.

    The text stays readable: an invisible character stands where GitHub would recognise more than text. Control
    characters, among them those that change the direction of a line, are removed.
    """
    text = _CONTROL.sub("", text.replace("\r\n", "\n"))
    for pattern, replacement in _ACTIVE:
        text = pattern.sub(replacement, text)
    return text


def body_of(report: str, run_url: str) -> str:
    """Return the body of the comment: marker, report, and where it comes from.

    Args:
        report: the report, as the untrusted job wrote it.
        run_url: address of the run that wrote it.
    """
    note = f"\n\n---\nMade by the code of this pull request, without credentials. Full report: [artifact]({run_url})\n"
    text = harmless(report).strip()
    limit = COMMENT_LIMIT - len(MARKER) - len(note) - 2
    if len(text) > limit:
        end = "\n```\n\n… The rest is in the artifact."
        text = text[: limit - len(end)].rpartition("\n")[0] + end
    return f"{MARKER}\n{text}{note}"
