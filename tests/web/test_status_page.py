"""The Events service's status page in Chromium: it updates itself, and other origins cannot read it."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.running import KEY, UserPool, on_port, running

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

SCENARIO = Path(__file__).with_name("status_page.mjs")
STEPS = re.findall(r'^step\("([^"]+)"', SCENARIO.read_text(encoding="utf-8"), re.MULTILINE)


async def _blank(_: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><body>another origin</body>", content_type="text/html")


async def test_the_status_page_in_a_browser(browser: str, project: Path, tmp_path: Path) -> None:
    foreign = web.Application()
    foreign.router.add_get("/", _blank)
    pool = UserPool(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    async with on_port(foreign) as elsewhere, running(tmp_path, pool, show_payloads=True) as service:
        port = service.host.rsplit(":", 1)[1]
        process = await asyncio.create_subprocess_exec(
            "node", str(SCENARIO), "--page", f"http://localhost:{port}/_status", "--publish", service.event_url,
            "--key", KEY, "--foreign", elsewhere, "--browser", browser, "--shots", str(tmp_path),
            cwd=project, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, problems = await asyncio.wait_for(process.communicate(), 90)
    lines = [json.loads(line) for line in output.decode().splitlines() if line.startswith("{")]
    failures = {line["title"]: line["failure"] for line in lines}
    assert failures == dict.fromkeys(STEPS), f"{problems.decode()}\nscreenshots: {tmp_path}"
