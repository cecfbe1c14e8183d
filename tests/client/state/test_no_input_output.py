"""The rules of the view do no input or output, so that tests can drive them through every order of events."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import client.state

MODULES = sorted(Path(client.state.__path__[0]).glob("*.py"))
FORBIDDEN = ("asyncio", "aiohttp", "time", "socket", "client.api", "client.cli", "client.recovery", "client.live_view")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_module_of_the_state_imports_nothing_that_does_input_or_output(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    imported = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported += [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    assert [name for name in imported if name.startswith(FORBIDDEN)] == []
