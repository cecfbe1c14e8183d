"""In a browser a refused token looks like a network failure: the page renews the token all the same."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SCENARIO = Path(__file__).with_name("refused_token.mjs")
STEPS = re.findall(r'^step\("([^"]+)"', SCENARIO.read_text(encoding="utf-8"), re.MULTILINE)


def test_a_refused_token_in_a_browser(browser: str, project: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "client.js"
    esbuild = [str(project / "node_modules/.bin/esbuild"), "web/src/client/api.ts", "--bundle", "--format=iife"]
    subprocess.run([*esbuild, "--global-name=client", f"--outfile={bundle}"], cwd=project, check=True, timeout=60)
    command = ["node", str(SCENARIO), "--browser", browser, "--client", str(bundle)]
    run = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=90, check=False)
    failures = {line["title"]: line["failure"] for line in map(json.loads, run.stdout.splitlines())}
    assert failures == dict.fromkeys(STEPS), run.stderr
