"""A call answered, on a local cloud: from the accept request to the connected event, at the callee and at the caller.

One call after the other, as one person answers; each is hung up before the next. The sockets are the product's own
Python client, so that "handled" means that its callback ran.
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

from bench.people import User, sign_up
from client.api.targets import Target, parse
from contract import channels
from local.testing import LocalCloud

ROUNDS = 100
_WARM_UP = 5
_PEOPLE = 30
"""Users who take part; enough that none of them reaches the limit of calls a minute."""
_PATIENCE_SECONDS = 10


class _Connections:
    """When each party of a call handled CALL_CONNECTED."""

    def __init__(self) -> None:
        self._at: dict[tuple[str, str], asyncio.Future[float]] = {}

    def on_event(self, user_id: str, event: Any) -> None:
        """Note the time."""
        if event["type"] == "CALL_CONNECTED":
            future = self.of(event["data"]["sessionId"], user_id)
            if not future.done():
                future.set_result(time.monotonic())

    def of(self, session_id: str, user_id: str) -> asyncio.Future[float]:
        """Return the time to come, or that has come."""
        return self._at.setdefault((session_id, user_id), asyncio.get_running_loop().create_future())


def run(rounds: int) -> list[str]:
    """Return the figures of so many calls."""
    with tempfile.TemporaryDirectory() as scratch, LocalCloud.start(Path(scratch)) as cloud:
        target = parse(json.dumps(cloud.document), "the benchmark's local cloud")
        callee, caller = asyncio.run(_measure(target, rounds))
    return [
        f"accept request to the connected event handled, local cloud, {rounds} calls one after the other",
        f"  at the callee, who accepted   {_spread(callee)}",
        f"  at the caller                 {_spread(caller)}",
    ]


async def _measure(target: Target, rounds: int) -> tuple[list[float], list[float]]:
    connections = _Connections()
    async with aiohttp.ClientSession() as http:
        people = [
            await sign_up(target, http, str(number), connections.on_event, channels.USERS) for number in range(_PEOPLE)
        ]
        callee, caller = [], []
        for number in range(rounds + _WARM_UP):
            first, second = people[2 * number % _PEOPLE], people[(2 * number + 1) % _PEOPLE]
            at_callee, at_caller = await _answered(first, second, connections)
            if number >= _WARM_UP:
                callee.append(at_callee)
                caller.append(at_caller)
        await asyncio.gather(*(each.events.close() for each in people))
    return callee, caller


async def _answered(caller: User, callee: User, connections: _Connections) -> tuple[float, float]:
    """Make, answer and end one call; return both times in milliseconds."""
    session_id = (await caller.api.initiate_call(recipient_id=callee.user_id, device_id="desk")).sessionId
    started = time.monotonic()
    accept = asyncio.create_task(callee.api.accept_call(session_id, device_id="phone"))
    async with asyncio.timeout(_PATIENCE_SECONDS):
        both = await asyncio.gather(*(connections.of(session_id, each.user_id) for each in (callee, caller)))
        await accept
    await caller.api.end_call(session_id)
    return (both[0] - started) * 1000, (both[1] - started) * 1000


def _spread(milliseconds: list[float]) -> str:
    p50, p95 = (statistics.quantiles(milliseconds, n=100)[percent - 1] for percent in (50, 95))
    return f"p50 {p50:7.1f} ms   p95 {p95:7.1f} ms"
