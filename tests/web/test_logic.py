"""The page's logic: each test of the TypeScript suites is a pytest test, so that one runner shows all."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

Results = dict[tuple[str, str], str | None]


def test_page_logic(unit_test: tuple[str, str], node_results: Results) -> None:
    assert unit_test in node_results, "Node did not run this test"
    failure = node_results[unit_test]
    assert failure is None, failure


def test_node_ran_exactly_these_tests(unit_tests: list[tuple[str, str]], node_results: Results) -> None:
    assert sorted(node_results) == sorted(unit_tests)


@pytest.mark.parametrize("directory", ["web", "tests/web"])
def test_typescript_compiles(directory: str, project: Path) -> None:
    compiler = str(project / "node_modules/.bin/tsc")
    run = subprocess.run(
        [compiler, "-p", directory, "--noEmit"], cwd=project, capture_output=True, text=True, timeout=100, check=False
    )
    assert run.returncode == 0, run.stdout
