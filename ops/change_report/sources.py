"""The source files behind a change: what differs between two checkouts, which functions import it, where it stands."""

from __future__ import annotations

import ast
import filecmp
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from ops.change_report.comparison import ResourceChange, text

PACKAGED: Final = ("handlers", "contract")
"""The directories that are packaged for the functions."""
_DEFINING: Final = ("stacks", "contract")
_DECLARATIONS: Final = ("tables.py", "routes.py")
_HASH: Final = re.compile(r"[0-9A-F]{8}$")


def changed_files(before: Path | None, after: Path | None) -> list[str]:
    """Return the packaged source files that differ between two checkouts; empty if one of them is not known."""
    if before is None or after is None:
        return []
    old, new = (dict(_packaged(root)) for root in (before, after))
    return sorted(
        name
        for name in old.keys() | new.keys()
        if name not in old or name not in new or not filecmp.cmp(old[name], new[name], shallow=False)
    )


def _packaged(root: Path) -> Iterator[tuple[str, Path]]:
    for directory in PACKAGED:
        for file in (root / directory).rglob("*"):
            if file.suffix in (".py", ".lock", ".txt") and "__pycache__" not in file.parts:
                yield file.relative_to(root).as_posix(), file


def importing_functions(
    checkout: Path | None, files: Iterable[str], entries: Mapping[str, str]
) -> dict[str, list[str]]:
    """Return for each file the functions whose code imports it, directly or not.

    Args:
        checkout: the checkout.
        files: paths relative to it; a lock file belongs to every function.
        entries: the file of each function's handler, relative to the checkout, by function name.
    """
    if checkout is None:
        return {}
    reached = {name: _closure(entry, checkout) for name, entry in entries.items()}
    return {
        file: sorted(name for name, imported in reached.items() if file in imported or not file.endswith(".py"))
        for file in files
    }


def entry_file(handler: str) -> str:
    """Return the file of a Lambda handler, for example `handlers/entry/deliver.py`."""
    return f"{handler.rpartition('.')[0].replace('.', '/')}.py"


def _closure(entry: str, checkout: Path) -> set[str]:
    reached, waiting = set[str](), [entry]
    while waiting:
        file = waiting.pop()
        if file not in reached:
            reached.add(file)
            waiting += _imported(checkout, file)
    return reached


@cache
def _imported(checkout: Path, file: str) -> tuple[str, ...]:
    path = checkout / file
    if not path.is_file():
        return ()
    names = set[str]()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return tuple(sorted(found for name in names if name.split(".")[0] in PACKAGED for found in _files(checkout, name)))


def _files(checkout: Path, module: str) -> Iterator[str]:
    """Return the file of a module, and the packages that Python runs before it."""
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        base = Path(*parts[:length])
        for candidate in (base / "__init__.py", base.with_suffix(".py")):
            if (checkout / candidate).is_file():
                yield candidate.as_posix()


def source_of(change: ResourceChange, checkout: Path | None) -> str:
    """Return file and line that define a resource, for example `contract/routes.py:41`; empty if they are not found.

    The code that creates a resource has the address of its route, or its construct's id, as a text of its own. The
    logical id is made of the ids of the constructs around it and a hash, so its longest part that stands in the code is
    the id.
    """
    if checkout is None:
        return ""
    words = re.findall(r"[A-Z][a-z0-9]*|[a-z0-9]+", _HASH.sub("", change.logical_id))
    parts = ["".join(words[first:last]) for first in range(len(words)) for last in range(len(words), first, -1)]
    address = text(change.new.get("RouteKey", change.old.get("RouteKey", ""))).partition(" ")[2]
    candidates = [address, *sorted(parts, key=len, reverse=True)]
    return next((found for each in candidates if each and (found := _definition(checkout, each, change.stack))), "")


@cache
def _definition(checkout: Path, name: str, stack: str) -> str:
    own = stack.split("-")[1].lower() if stack.count("-") >= 2 else stack.lower()
    files = [file for directory in _DEFINING for file in sorted((checkout / directory).rglob("*.py"))]
    files.sort(key=lambda file: (file.stem != own, file.name not in _DECLARATIONS))
    for file in files:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if f'"{name}"' in line and "import" not in line:
                return f"{file.relative_to(checkout).as_posix()}:{number}"
    return ""
