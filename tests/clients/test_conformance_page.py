"""What the conformance suite's facts name in this repository outside the Events service's package."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from conformance_suite.facts import SECTIONS
from conformance_suite.page import page

ROOT = Path(__file__).parents[2]
NAMED = [test for facts in SECTIONS.values() for fact in facts for test in fact.repository_tests]


@pytest.mark.parametrize("test", NAMED)
def test_every_repository_test_that_a_fact_names_exists(test: str) -> None:
    file, name = test.split("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in functions, f"{file} has no {name}"


def test_the_conformance_page_is_up_to_date() -> None:
    written = (ROOT / "packages/appsync-events-local/docs/conformance.md").read_text(encoding="utf-8")
    assert written == page(), "run: make generate"
