"""The forms of the change report: terminal, Markdown, HTML and JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ops.change_report.render.as_html import as_html
from ops.change_report.render.as_json import as_json
from ops.change_report.render.as_markdown import as_markdown
from ops.change_report.render.as_text import as_text
from ops.change_report.report import Report

FORMATS: Final[Mapping[str, Callable[[Report], str]]] = {
    "text": as_text,
    "markdown": as_markdown,
    "html": as_html,
    "json": as_json,
}
"""The forms by the name that the command line takes."""
