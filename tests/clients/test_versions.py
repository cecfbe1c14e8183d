"""The documented versions of the tested clients are the installed ones."""

from __future__ import annotations

import json
import re
from pathlib import Path

import appsync_events

ROOT = Path(__file__).parents[2]
SECTION = (
    (ROOT / "packages/appsync-events-local/docs/service.md")
    .read_text(encoding="utf-8")
    .split("## Clients that are tested")[1]
)


def test_page_of_tested_clients_names_the_locked_versions() -> None:
    named = set(re.findall(r"^\| [^|]+ \| `([\w-]+)` ([\d.]+)", SECTION.split("\n## ")[0], flags=re.MULTILINE))
    packages = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    python = dict(re.findall(r"^([\w-]+)==([\d.]+)$", (ROOT / "requirements.txt").read_text(), flags=re.MULTILINE))
    pinned = packages | python | {"appsync-events": appsync_events.__version__}
    assert len(named) == 5
    assert named == {(name, pinned[name]) for name, _ in named}
