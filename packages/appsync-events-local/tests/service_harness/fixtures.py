"""Fixtures: a running service with its user pool, loaded handlers, and a DynamoDB emulator on loopback."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from appsync_events_local.handlers.namespace_handlers import Incoming, Invocation, NamespaceHandlers
from cryptography.hazmat.primitives.asymmetric import rsa
from service_harness.running import Running, UserPool, running

REGION = "us-east-1"
Load = Callable[..., NamespaceHandlers]


@pytest.fixture(scope="session")
def signing_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def other_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
async def pool(signing_key: rsa.RSAPrivateKey) -> AsyncIterator[UserPool]:
    pool = UserPool(signing_key)
    async with pool.served():
        yield pool


@pytest.fixture
async def service(tmp_path: Path, pool: UserPool) -> AsyncIterator[Running]:
    async with running(tmp_path, pool) as service:
        yield service


@pytest.fixture
def load() -> Iterator[Load]:
    """Loads namespace handlers and closes them after the test."""
    loaded: list[NamespaceHandlers] = []

    def loader(code: str | None, **options: Any) -> NamespaceHandlers:
        handlers = NamespaceHandlers.load(code, **options)
        loaded.append(handlers)
        return handlers

    yield loader
    for handlers in loaded:
        asyncio.run(handlers.close())


@pytest.fixture(scope="session")
def dynamodb_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a DynamoDB emulator on a free loopback port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("dynamodb")
    environment = os.environ | {
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "GATEWAY_PORT": str(port),
        "TMPDIR": str(folder),
        "STATE_DIR": str(folder),
    }
    with (folder / "log.txt").open("wb") as log:
        command = [str(Path(sys.executable).parent / "ministack")]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    try:
        endpoint = f"http://127.0.0.1:{port}"
        _await_healthy(process, endpoint, folder / "log.txt")
        yield endpoint
    finally:
        process.terminate()
        process.wait(timeout=20)


def _await_healthy(process: subprocess.Popen[bytes], endpoint: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=2):  # noqa: S310 - loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"the emulator did not start:\n{log.read_text(errors='replace')[-2000:]}")


def client(endpoint: str) -> Any:
    """A botocore DynamoDB client."""
    return botocore.session.Session().create_client(
        "dynamodb",
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


@pytest.fixture(scope="session")
def dynamodb(dynamodb_endpoint: str) -> Iterator[Any]:
    """A client of that emulator."""
    opened = client(dynamodb_endpoint)
    yield opened
    opened.close()


PRELUDE = (
    "import { util, runtime, extensions } from '@aws-appsync/utils';\n"
    "import * as ddb from '@aws-appsync/utils/dynamodb';\n"
)


@pytest.fixture
def evaluate(load: Load) -> Callable[..., Any]:
    """Evaluates one APPSYNC_JS expression over ``ctx`` in the engine and returns its JSON value."""

    known: dict[str, NamespaceHandlers] = {}

    async def evaluator(expression: str, payload: Any = None, identity: dict[str, Any] | None = None) -> Any:
        code = f"{PRELUDE}export function onPublish(ctx) {{ return [{{ id: '1', payload: {expression} }}]; }}\n"
        if code not in known:
            known[code] = load(code)
        (result,) = await known[code].publish(Invocation(identity, "/a/b", "a"), [Incoming("1", payload)])
        return result.payload

    return evaluator
