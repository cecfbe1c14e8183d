"""The state of an environment for a terminal, and as JSON."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ops.status.reading import Section

_NOTHING: Final = "no data"
_WIDEST: Final = 72


@dataclass(frozen=True)
class Status:
    """The state at one moment."""

    environment: str
    region: str
    at: datetime.datetime
    sections: Sequence[Section]

    @property
    def attention(self) -> int:
        """Return how many rows need an operator's attention."""
        return sum(len(section.attention) for section in self.sections)


def as_text(status: Status) -> str:
    """Return one screen; rows that need attention begin with `!`."""
    parts = [f"{status.environment} ({status.region}), {status.at:%Y-%m-%d %H:%M} UTC"]
    for section in status.sections:
        parts += ["", section.title]
        if section.unread:
            parts.append(f"  could not be read: {section.unread}")
        elif not section.rows:
            parts.append("  none")
        else:
            parts += _table(section)
    what = f"{status.attention} rows need attention (!); make doctor ENV={status.environment} names causes"
    parts += ["", what if status.attention else "Nothing needs attention."]
    return "\n".join(parts) + "\n"


def _table(section: Section) -> list[str]:
    rows = [section.columns, *([_text(value) for value in row] for row in section.rows)]
    widths = [max(len(row[number]) for row in rows) for number in range(len(section.columns))]
    lines = []
    for number, row in enumerate(rows, start=-1):
        mark = "!" if number in section.attention else " "
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append(f"{mark} {cells}".rstrip())
    return lines


def _text(value: Any) -> str:
    text = _NOTHING if value is None else str(value)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."


def as_json(status: Status) -> str:
    """Return the state as JSON: for each part its rows as objects, or why it could not be read."""
    document = {
        "environment": status.environment,
        "region": status.region,
        "at": status.at.isoformat(),
        "attention": status.attention,
        "sections": {
            section.id: {
                "unread": section.unread or None,
                "rows": [
                    {**dict(zip(section.columns, row, strict=True)), "attention": number in section.attention}
                    for number, row in enumerate(section.rows)
                ],
            }
            for section in status.sections
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
