"""Clients go on after the service has ended their connection, as AWS does after 24 hours, and while it throttles."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
from appsync_events import ApiKey, Backoff, EventsClient
from service_harness.standalone import standalone
from service_harness.templates import KEY, api, namespace, write_template

from tests.clients.conftest import Node

QUICK = Backoff(base=0.01, cap=0.05)


def template_in(folder: Path) -> Path:
    return write_template(folder, {"Api": api(), "Key": KEY, "Open": namespace("open")})


async def test_python_client_receives_after_each_end_of_its_connection(tmp_path: Path) -> None:
    async with standalone("--template", template_in(tmp_path), "--lifetime-seconds", 0.5) as running:
        received: list[int] = []
        acknowledged: list[int] = []
        async with (
            aiohttp.ClientSession() as http,
            EventsClient(running.endpoints[0], ApiKey(running.keys[0]), http=http, backoff=QUICK) as client,
        ):
            await client.subscribe("/open/a", received.append, on_live=lambda: acknowledged.append(len(received)))
            for number in range(40):
                await client.publish_http("/open/a", [number])
                await asyncio.sleep(0.05)
    assert len(acknowledged) >= 3, "the first connection, and those after at least two ends"
    assert received[-1] > 30
    assert received == sorted(set(received))


async def test_python_client_connects_when_the_rate_of_connections_allows_it_again(tmp_path: Path) -> None:
    async with standalone("--template", template_in(tmp_path), "--connections-per-second", 1) as running:
        endpoint, key = running.endpoints[0], ApiKey(running.keys[0])
        async with (
            EventsClient(endpoint, key, backoff=QUICK) as first,
            EventsClient(endpoint, key, backoff=QUICK) as second,
        ):
            await asyncio.wait_for(asyncio.gather(first.connected(), second.connected()), 10)


async def test_amplify_receives_after_the_end_of_its_connection(tmp_path: Path, node: Node) -> None:
    async with standalone("--template", template_in(tmp_path), "--lifetime-seconds", 2) as running:
        host = running.endpoints[0].removeprefix("http://")
        given = {"endpoint": f"HTTP://{host}", "apiKey": running.keys[0], "channel": "/open/a", "seconds": 12}
        [line] = await node("amplify_lifetime.mjs", json.dumps(given))
    result = json.loads(line)
    received = result["received"]
    assert received[0] < 4, "the first connection"
    assert received[-1] > 12, f"a connection after the first end: {result}"
    assert received == sorted(set(received))
