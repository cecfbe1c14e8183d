"""Reads the vectors of `contract/vectors`: examples of rules that several implementations share.

`text.json` holds limits of text, `messages.json` sequences of events and responses with the view that follows from
them, `calls.json` orders of call events with the state of the call.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_DIRECTORY = Path(__file__).resolve().parents[2] / "contract/vectors"


def load(name: str) -> dict[str, Any]:
    """Return the vectors of a subject: `text`, `messages` or `calls`."""
    document: dict[str, Any] = json.loads((_DIRECTORY / f"{name}.json").read_text(encoding="utf-8"))
    return document


def text_of(parts: list[Any]) -> str:
    """Return the text of a list of parts: each a string, or a string with its repetitions."""
    return "".join(part if isinstance(part, str) else part[0] * part[1] for part in parts)
