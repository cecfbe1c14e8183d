"""The page in Chromium: two users on a local cloud."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from local.testing import LocalCloud

pytestmark = [pytest.mark.browser, pytest.mark.first_on_cloud, pytest.mark.timeout(420)]

SCENARIO = Path(__file__).with_name("page.mjs")
STEPS = re.findall(r'^step\("([^"]+)"', SCENARIO.read_text(encoding="utf-8"), re.MULTILINE)
StepFailures = dict[str, str | None]


@pytest.fixture(scope="session")
def step_failures(
    browser: str, project: Path, session_cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory
) -> StepFailures:
    """Run the scenario once, before users of other tests have the names of the demo users.

    Returns:
        the failure of each step that ran, by title; None if it passed.
    """
    page = project / "web" / "dist" / "index.html"
    assert page.is_file(), "the page was not built: npm run build:web"
    shots = tmp_path_factory.mktemp("page")
    url = session_cloud.outputs.webUrl
    command = ["node", str(SCENARIO), "--url", url, "--browser", browser, "--shots", str(shots)]
    run = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300, check=False)
    lines = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    assert lines, f"the scenario did not start:\n{run.stderr}"
    return {line["title"]: line["failure"] and f"{line['failure']}\nscreenshots: {shots}" for line in lines}


@pytest.mark.parametrize("step", STEPS)
def test_step(step: str, step_failures: StepFailures) -> None:
    assert step in step_failures, "not run: an earlier step failed"
    failure = step_failures[step]
    assert failure is None, failure


def test_every_step_ran(step_failures: StepFailures) -> None:
    assert list(step_failures) == STEPS
