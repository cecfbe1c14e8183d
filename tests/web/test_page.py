"""The page in Chromium: two people, signed in side by side, on the local cloud."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from local.testing import LocalCloud

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]

SCENARIO = Path(__file__).with_name("page.mjs")
STEPS = re.findall(r'^step\("([^"]+)"', SCENARIO.read_text(encoding="utf-8"), re.MULTILINE)
Walk = dict[str, str | None]


@pytest.fixture(scope="session")
def walk(browser: str, project: Path, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """Walk through the scenario once, on a local cloud of its own: other tests' users have the demo users' names.

    Returns:
        each step that was tried, to what went wrong (None where nothing did).
    """
    page = project / "web" / "dist" / "index.html"
    assert page.is_file(), "the page was not built: npm run build:web"
    shots = tmp_path_factory.mktemp("page")
    with LocalCloud.start(tmp_path_factory.mktemp("page-cloud"), web=True) as cloud:
        url = cloud.outputs.webUrl
        command = ["node", str(SCENARIO), "--url", url, "--browser", browser, "--shots", str(shots)]
        run = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300, check=False)
    lines = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    assert lines, f"the scenario did not start:\n{run.stderr}"
    return {line["title"]: line["failure"] and f"{line['failure']}\npictures: {shots}" for line in lines}


@pytest.mark.parametrize("step", STEPS)
def test_step(step: str, walk: Walk) -> None:
    assert step in walk, "not reached: a step before it failed"
    failure = walk[step]
    assert failure is None, failure


def test_every_step_is_shown_here(walk: Walk) -> None:
    assert list(walk) == STEPS
