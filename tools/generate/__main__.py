"""Write the contract documents, or with `--check` say which of them no longer match the models."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from appsync_js import permissions
from tools.generate import asyncapi, call_pages, local_events, openapi, pages, schemas, typescript

ROOT: Final = Path(__file__).resolve().parents[2]


def _json(document: Callable[[], dict[str, Any]]) -> Callable[[], str]:
    return lambda: json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


DOCUMENTS: Final[dict[str, Callable[[], str]]] = {
    "contract/generated/openapi.json": _json(openapi.document),
    "contract/generated/asyncapi.json": _json(asyncapi.document),
    "contract/generated/events.schema.json": _json(schemas.events_document),
    "contract/generated/types.ts": typescript.document,
    "docs/routes.md": pages.routes_page,
    "docs/events.md": pages.events_page,
    "docs/data-model.md": pages.data_model_page,
    "docs/call-states.md": call_pages.call_states_page,
    "docs/permissions.md": permissions.markdown,
    "packages/appsync-events-local/docs/service.md": local_events.page,
}


def write(root: Path = ROOT) -> list[str]:
    """Write every document below a folder; return the paths that changed."""
    changed = drifted(root)
    for name in changed:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(DOCUMENTS[name](), encoding="utf-8")
    return changed


def drifted(root: Path = ROOT) -> list[str]:
    """Return the documents below a folder that are missing or differ from the models."""
    found = []
    for name, document in DOCUMENTS.items():
        path = root / name
        if not path.exists() or path.read_text(encoding="utf-8") != document():
            found.append(name)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return 1 where `--check` finds a document out of step."""
    parser = argparse.ArgumentParser(prog="python -m tools.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a document is out of step")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder that holds contract/ and docs/")
    options = parser.parse_args(arguments)
    if not options.check:
        for name in write(options.root):
            print(f"written: {name}")
        return 0
    stale = drifted(options.root)
    for name in stale:
        print(f"{name} does not match what it is written from: run `python -m tools.generate`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
