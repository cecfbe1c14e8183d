"""Runs the tests of the page: its logic under Node, the page itself in Chromium."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DIRECTORY = Path(__file__).resolve().parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_TITLE = re.compile(r'^test\(\s*"(?P<title>[^"]+)"', re.MULTILINE)


def _unit_tests() -> list[tuple[str, str]]:
    """Return file and title of every test of the page's logic, from the sources."""
    return [
        (file.name, match["title"])
        for file in sorted(DIRECTORY.glob("*.test.ts"))
        for match in _TITLE.finditer(file.read_text(encoding="utf-8"))
    ]


def _find_browser() -> str | None:
    """Return the browser to drive: `CHROMIUM`, or an installed one."""
    named = os.environ.get("CHROMIUM")
    if named:
        return named if Path(named).is_file() else None
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def _browser_required() -> bool:
    """Return whether a missing browser is a failure."""
    return os.environ.get("REQUIRE_BROWSER") == "1"


def pytest_report_collectionfinish() -> str | None:
    """Report before the first test that the browser tests cannot run."""
    if _find_browser() is not None:
        return None
    consequence = "its tests will fail" if _browser_required() else "its tests are deselected"
    return (
        f"browser: no Chromium found, so the page is not tested in a browser and {consequence} "
        "(apt-get install chromium, or set CHROMIUM=/path/to/it; REQUIRE_BROWSER=1 makes it a failure)"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Create one test for each test of the TypeScript suites."""
    if "unit_test" in metafunc.fixturenames:
        tests = _unit_tests()
        metafunc.parametrize("unit_test", tests, ids=[f"{file}: {title}" for file, title in tests])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the browser tests if there is no browser and none is required."""
    if _find_browser() is not None or _browser_required():
        return
    deselected = [item for item in items if item.get_closest_marker("browser")]
    if deselected:
        items[:] = [item for item in items if not item.get_closest_marker("browser")]
        config.hook.pytest_deselected(items=deselected)


@pytest.fixture(scope="session")
def unit_tests() -> list[tuple[str, str]]:
    """File and title of every test of the page's logic."""
    return _unit_tests()


@pytest.fixture(scope="session")
def project() -> Path:
    """The repository."""
    return PROJECT


@pytest.fixture(scope="session")
def browser() -> str:
    """The browser to drive."""
    found = _find_browser()
    assert found is not None, "no Chromium found: apt-get install chromium, or set CHROMIUM=/path/to/it"
    return found


@pytest.fixture(scope="session")
def node_results(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str | None]:
    """Run every `*.test.ts` once under Node.

    Returns:
        the failure of each test that ran, by file and title; None if it passed.
    """
    built = tmp_path_factory.mktemp("web-tests")
    sources = sorted(str(file) for file in DIRECTORY.glob("*.test.ts"))
    bundle = [
        str(PROJECT / "node_modules/.bin/esbuild"),
        *sources,
        "--bundle",
        "--platform=node",
        "--format=esm",
        "--out-extension:.js=.mjs",
        f"--outdir={built}",
        "--sourcemap=inline",
        "--log-level=warning",
    ]
    subprocess.run(bundle, check=True, timeout=60)
    results: dict[tuple[str, str], str | None] = {}
    for file in sorted(built.glob("*.mjs")):
        command = ["node", "--enable-source-maps", "--test", "--test-reporter=junit", str(file)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        source = file.name.replace(".mjs", ".ts")
        for case in ElementTree.fromstring(run.stdout).iter("testcase"):  # noqa: S314 - Node's own output
            failure = case.find("failure")
            results[source, case.attrib["name"]] = None if failure is None else "".join(failure.itertext())
    return results
