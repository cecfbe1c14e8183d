"""Runs ob-appsync-events-request and wscat."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from service_harness.running import REGION

from tests.clients.conftest import NODE, Node

WSCAT = Path(__file__).parents[2] / "node_modules/wscat/bin/wscat"


@dataclass(frozen=True)
class ObRequest:
    """Publishes with ob-appsync-events-request.

    Args:
        address: the API's publish address. The client signs its host without the port, since AWS's hosts have none.
        node: runs scripts.
        file: passes the events to the script.
        access_key, secret_key, token: the signing keys.
    """

    address: str
    node: Node
    file: Path
    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)

    async def __call__(self, channel: str, events: list[Any]) -> dict[str, Any]:
        """Publish; returns `status` and `body` of the response."""
        self.file.write_text(json.dumps(events))
        parts = urlsplit(self.address)
        url = parts._replace(netloc=parts.hostname or "").geturl()
        credentials = {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_SESSION_TOKEN": self.token or "",
        }
        lines = await self.node("ob_request.mjs", url, str(parts.port), REGION, channel, str(self.file), **credentials)
        answer: dict[str, Any] = json.loads(lines[-1])
        return answer


@asynccontextmanager
async def wscat(
    url: str, offered: list[str], *frames: dict[str, Any]
) -> AsyncIterator[Callable[[], Awaitable[dict[str, Any]]]]:
    """Run wscat, which sends the frames; yields a function that returns the next received frame.

    Args:
        url: the socket's address.
        offered: wscat's arguments for subprotocols and headers.
        frames: the frames to send as soon as it is connected.
    """
    sent = [part for frame in frames for part in ("-x", json.dumps(frame))]
    process = await asyncio.create_subprocess_exec(
        NODE, str(WSCAT), "-c", url, *offered, *sent, "-w", "-1", stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    printed = process.stdout
    assert printed is not None

    async def frame() -> dict[str, Any]:
        line = await asyncio.wait_for(printed.readline(), 20)
        received: dict[str, Any] = json.loads(line)
        return received

    try:
        yield frame
    finally:
        process.kill()
        await process.wait()
