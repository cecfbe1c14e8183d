"""No module of this repository imports itself through others, directly or in a block for type checkers only."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from stacks.packaging import ROOT

SOURCES = {
    "app.py": ROOT,
    "contract": ROOT,
    "stacks": ROOT,
    "handlers": ROOT,
    "appsync_js": ROOT,
    "tools": ROOT,
    "local": ROOT,
    "client": ROOT,
    "ops": ROOT,
    "bench": ROOT,
    "appsync_events": ROOT / "packages/appsync-events/src",
    "appsync_events_local": ROOT / "packages/appsync-events-local/src",
}
"""First-party modules and packages, with the directory that is on the import path."""


def _modules(sources: Mapping[str, Path]) -> dict[str, Path]:
    """Return every first-party module by its dotted name."""
    found = {}
    for name, root in sources.items():
        paths = [root / name] if name.endswith(".py") else sorted((root / name).rglob("*.py"))
        assert paths, name
        for path in paths:
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _module_level(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports that run with the module, and those of `if TYPE_CHECKING` blocks; not those in functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _module_level(node)


def _imported(name: str, path: Path, modules: Mapping[str, Path]) -> set[str]:
    """Return the first-party modules that a module imports. Importing `a.b` imports the package `a` too."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in _module_level(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
            continue
        parts = package.split(".")
        base = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
        target = ".".join(part for part in (base, node.module) if part)
        submodules = {f"{target}.{alias.name}" for alias in node.names} & set(modules)
        names_of_package = {alias.name for alias in node.names} - {each.rpartition(".")[2] for each in submodules}
        found |= submodules | ({target} if names_of_package else set())
    return {each for each in found if each in modules and each != name}


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Return every group of modules that import each other (strongly connected components, Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(graph[node]):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            start = stack.index(node)
            if len(stack) - start > 1:
                found.append(sorted(stack[start:]))
            del stack[start:]

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def _graph(sources: Mapping[str, Path]) -> dict[str, set[str]]:
    modules = _modules(sources)
    return {name: _imported(name, path, modules) for name, path in modules.items()}


def test_no_modules_import_each_other_in_a_circle() -> None:
    found = circles(_graph(SOURCES))
    assert not found, "these modules import each other; move what they share to a module of its own:\n" + "\n".join(
        ", ".join(circle) for circle in found
    )


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("from pkg.second import name", "from pkg import first", [["pkg.first", "pkg.second"]]),
        ("from .second import name", "import pkg.first", [["pkg.first", "pkg.second"]]),
        (
            "from pkg import second",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pkg.first import name",
            [["pkg.first", "pkg.second"]],
        ),
        ("from pkg import second", "def late():\n    from pkg import first", []),
        ("from pkg import second", "import os", []),
    ],
)
def test_circles_are_found_in_every_form_of_import(
    tmp_path: Path, first: str, second: str, expected: list[list[str]]
) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "pkg/first.py").write_text(first, encoding="utf-8")
    (tmp_path / "pkg/second.py").write_text(second, encoding="utf-8")
    assert circles(_graph({"pkg": tmp_path})) == expected


def test_package_that_imports_its_own_module_which_imports_the_package_is_a_circle(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/__init__.py").write_text("from pkg.part import name", encoding="utf-8")
    (tmp_path / "pkg/part.py").write_text("from pkg import other", encoding="utf-8")
    assert circles(_graph({"pkg": tmp_path})) == [["pkg", "pkg.part"]]
