"""The unmodified Amplify client of the repository's lock file, in Node and in Chromium, in every mode."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from local.events.providers import AuthMode
from tests.clients import amplify
from tests.clients.conftest import Node
from tests.events_service.every_mode import EveryMode
from tests.events_service.harness import on_port

pytestmark = pytest.mark.asyncio(loop_scope="module")
FOLDER = Path(__file__).parent
ESBUILD = FOLDER.parents[1] / "node_modules/.bin/esbuild"


@pytest.mark.parametrize("mode", AuthMode)
async def test_amplify_in_node(api: EveryMode, node: Node, mode: AuthMode) -> None:
    lines = await node("amplify_node.mjs", json.dumps(amplify.talk_of(api, mode)))
    amplify.check(json.loads(lines[-1]))


@pytest.fixture(scope="module")
def built_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a page that has Amplify and the talk in it."""
    folder = tmp_path_factory.mktemp("page")
    bundle = ["--bundle", "--format=iife", f"--outfile={folder / 'bundle.js'}", "--log-level=warning"]
    subprocess.run([ESBUILD, str(FOLDER / "amplify_page.mjs"), *bundle], check=True, timeout=60)
    (folder / "index.html").write_text('<!doctype html><meta charset="utf-8"><script src="bundle.js"></script>')
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(built_page: Path) -> AsyncIterator[str]:
    """The address of a page with Amplify on it; another origin than the service's."""
    app = web.Application()
    app.router.add_static("/", built_page)
    async with on_port(app) as url:
        yield f"{url}/index.html"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def talks(api: EveryMode, node: Node, page: str, browser: str) -> dict[AuthMode, dict[str, Any]]:
    """What each mode's talk returned, in one browser."""
    given = json.dumps([amplify.talk_of(api, mode) for mode in AuthMode])
    lines = await node("amplify_chromium.mjs", browser, page, given, seconds=110)
    return dict(zip(AuthMode, map(json.loads, lines), strict=True))


@pytest.mark.browser
@pytest.mark.parametrize("mode", AuthMode)
async def test_amplify_in_chromium(talks: dict[AuthMode, dict[str, Any]], mode: AuthMode) -> None:
    amplify.check(talks[mode])
    assert talks[mode]["errors"] == []
