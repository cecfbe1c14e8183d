"""The page's logic: each test of the TypeScript suites is a test here, so that one runner shows them all."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

Results = dict[tuple[str, str], str | None]


def test_the_page_keeps_its_promise(unit_test: tuple[str, str], node_results: Results) -> None:
    assert unit_test in node_results, "Node did not run it"
    failure = node_results[unit_test]
    assert failure is None, failure


def test_every_test_that_node_ran_is_shown_here(unit_tests: list[tuple[str, str]], node_results: Results) -> None:
    assert sorted(node_results) == sorted(unit_tests)


@pytest.mark.parametrize("folder", ["web", "tests/web"])
def test_the_types_hold(folder: str, project: Path) -> None:
    compiler = str(project / "node_modules/.bin/tsc")
    run = subprocess.run(
        [compiler, "-p", folder, "--noEmit"], cwd=project, capture_output=True, text=True, timeout=100, check=False
    )
    assert run.returncode == 0, run.stdout
