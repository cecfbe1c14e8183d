"""Latency from accepting a call to the handled CALL_CONNECTED event, at callee and caller, on a local cloud.

The calls run one after the other; each ends before the next. The clients are this repository's Python client:
"handled" means that its callback ran.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

from bench.local_cloud.users import User, sign_up
from client.api.targets import Target, parse
from contract import channels
from local.testing import LocalCloud

ROUNDS = 100
_WARM_UP = 5
_USERS = 30
"""Number of users; enough that none of them reaches the limit of calls a minute."""
_TIMEOUT_SECONDS = 10


class _Connections:
    """The time at which each participant of a call handled CALL_CONNECTED."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, str], asyncio.Future[float]] = {}

    def on_event(self, user_id: str, event: Any) -> None:
        """Record the time of a CALL_CONNECTED event."""
        if event["type"] == "CALL_CONNECTED":
            future = self.of(event["data"]["sessionId"], user_id)
            if not future.done():
                future.set_result(time.monotonic())

    def of(self, session_id: str, user_id: str) -> asyncio.Future[float]:
        """Return a future of the time."""
        return self._at.setdefault((session_id, user_id), asyncio.get_running_loop().create_future())


def run(rounds: int) -> list[str]:
    """Return the latencies of so many calls."""
    with tempfile.TemporaryDirectory() as scratch, LocalCloud.start(Path(scratch)) as cloud:
        target = parse(json.dumps(cloud.document), "the benchmark's local cloud")
        callee, caller = asyncio.run(_measure(target, rounds))
    return [
        f"accept request to handled connected event, local cloud, {rounds} calls one after the other",
        f"  at the callee (accepts)   {_spread(callee)}",
        f"  at the caller             {_spread(caller)}",
    ]


async def _measure(target: Target, rounds: int) -> tuple[list[float], list[float]]:
    connections = _Connections()
    async with aiohttp.ClientSession() as http:
        users = [
            await sign_up(target, http, str(number), connections.on_event, channels.USERS) for number in range(_USERS)
        ]
        callee, caller = [], []
        for number in range(rounds + _WARM_UP):
            first, second = users[2 * number % _USERS], users[(2 * number + 1) % _USERS]
            at_callee, at_caller = await _accept(first, second, connections)
            if number >= _WARM_UP:
                callee.append(at_callee)
                caller.append(at_caller)
        await asyncio.gather(*(each.events.close() for each in users))
    return callee, caller


async def _accept(caller: User, callee: User, connections: _Connections) -> tuple[float, float]:
    """Start, accept and end one call; return both latencies in milliseconds."""
    session_id = (await caller.api.initiate_call(recipient_id=callee.user_id, device_id="desk")).sessionId
    started = time.monotonic()
    accept = asyncio.create_task(callee.api.accept_call(session_id, device_id="phone"))
    async with asyncio.timeout(_TIMEOUT_SECONDS):
        both = await asyncio.gather(*(connections.of(session_id, each.user_id) for each in (callee, caller)))
        await accept
    await caller.api.end_call(session_id)
    return (both[0] - started) * 1000, (both[1] - started) * 1000


def _spread(milliseconds: list[float]) -> str:
    p50, p95 = (statistics.quantiles(milliseconds, n=100)[percent - 1] for percent in (50, 95))
    return f"p50 {p50:7.1f} ms   p95 {p95:7.1f} ms"
