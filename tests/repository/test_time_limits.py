"""What a client does after a time limit has passed does not wait either, so that the stated limit holds."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMITS = {"timeout", "timeout_at", "wait_for"}
SOURCES = sorted([*(ROOT / "client").rglob("*.py"), *(ROOT / "packages/appsync-events/src").rglob("*.py")])


def _is_limit(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LIMITS


def _waits(nodes: list[ast.stmt]) -> Iterator[int]:
    """Yield the lines that await something without a limit of their own."""
    for node in nodes:
        yield from _waits_of(node)


def _waits_of(node: ast.AST) -> Iterator[int]:
    if isinstance(node, ast.AsyncWith) and any(_is_limit(item.context_expr) for item in node.items):
        return
    if isinstance(node, ast.Await) and not _is_limit(node.value):
        yield node.lineno
    for child in ast.iter_child_nodes(node):
        yield from _waits_of(child)


def waits_after_a_limit(source: str) -> list[int]:
    """Return the lines of a source that wait after a time limit has passed."""
    found: list[int] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Try) and any(_is_limit(part) for one in node.body for part in ast.walk(one)):
            for handler in node.handlers:
                if handler.type is not None and "TimeoutError" in ast.unparse(handler.type):
                    found += _waits(handler.body)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_waits_after_a_time_limit(path: Path) -> None:
    lines = waits_after_a_limit(path.read_text(encoding="utf-8"))
    assert lines == [], f"bound these waits, or start them in the background: lines {lines}"


def test_the_rule_finds_a_wait_and_accepts_a_bounded_one() -> None:
    source = """
async def f(socket):
    try:
        async with asyncio.timeout(15):
            await socket.receive()
    except TimeoutError:
        {after}
"""
    assert waits_after_a_limit(source.format(after="await socket.close()")) == [7]
    assert waits_after_a_limit(source.format(after="await asyncio.wait_for(socket.close(), 2)")) == []
