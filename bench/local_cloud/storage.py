"""Message storage in the send route with per-user channels, against storage in the handler with one channel per group.

The front-end guide compares both. One sender and nine recipients are in a group on a local cloud; the latency is from
sending to the arrival at the last recipient. Requests and costs per message are calculated from the design, since they
do not depend on the machine.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from bench.local_cloud.users import User, sign_up
from client.api.targets import Target, parse
from local.testing import LocalCloud
from ops.costs.prices import prices

ROUNDS = 30
RECIPIENTS = 9
_TIMEOUT_SECONDS = 20
_MILLION = 1_000_000
_COST = (
    ("published events", _MILLION * prices()["appsync"]["operation"]),
    ("delivered events", _MILLION * prices()["appsync"]["operation"]),
    ("handler invocations", _MILLION * prices()["appsync"]["operation"]),
    ("HTTP API requests", _MILLION * prices()["api"]["request"]),
    ("Lambda invocations", _MILLION * prices()["functions"]["request"]),
    ("DynamoDB write units", _MILLION * prices()["tables"]["write_unit"]),
)
"""US dollars per million."""


def run(rounds: int) -> list[str]:
    """Return both latencies, interleaved, and the requests and dollars per message."""
    with tempfile.TemporaryDirectory() as scratch, LocalCloud.start(Path(scratch)) as cloud:
        target = parse(json.dumps(cloud.document), "the benchmark's local cloud")
        route, channel = asyncio.run(_measure(target, rounds))
    return [
        f"one message to {RECIPIENTS} other members, send to last arrival (ms, median of {rounds}, interleaved)",
        f"  route, /chats/{{userId}}               {statistics.median(route):8.1f}",
        f"  handler, /conversations/{{id}}         {statistics.median(channel):8.1f}",
        *_costs(RECIPIENTS + 1),
    ]


async def _measure(target: Target, rounds: int) -> tuple[list[float], list[float]]:
    arrivals: dict[str, list[float]] = {}
    seen: dict[str, asyncio.Event] = {}

    def on_event(user_id: str, event: Any) -> None:
        data = event["data"]
        if event["type"] == "MESSAGE_SENT" and data["senderId"] != user_id:
            times = arrivals.setdefault(data["tempId"], [])
            times.append(time.monotonic())
            if len(times) == RECIPIENTS and data["tempId"] in seen:
                seen[data["tempId"]].set()

    async with aiohttp.ClientSession() as http:
        users = [await sign_up(target, http, str(number), on_event) for number in range(RECIPIENTS + 1)]
        sender, recipients = users[0], users[1:]
        created = await sender.api.create_group("Benchmark", [each.user_id for each in recipients])
        group = created.conversation.conversationId
        path = created.conversation.channel
        assert path is not None
        for each in recipients:
            await each.events.subscribe(path, partial(on_event, each.user_id))

        async def timed(send: Callable[[str], Awaitable[None]]) -> float:
            temp_id = str(uuid.uuid4())
            seen[temp_id] = asyncio.Event()
            started = time.monotonic()
            await send(temp_id)
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                await seen[temp_id].wait()
            return (max(arrivals[temp_id]) - started) * 1000

        route, channel = [], []
        for index in range(rounds + 1):
            by_route = await timed(partial(_by_route, sender, group))
            by_channel = await timed(partial(_by_channel, sender, path, 2 * index + 2))
            if index:
                route.append(by_route)
                channel.append(by_channel)
        await asyncio.gather(*(each.events.close() for each in users))
    return route, channel


async def _by_route(sender: User, group: str, temp_id: str) -> None:
    await sender.api.send_message(group, "hello", temp_id=temp_id)


async def _by_channel(sender: User, path: str, seq: int, temp_id: str) -> None:
    data = {"tempId": temp_id, "seq": seq, "type": "TEXT", "content": "hello"}
    (await sender.events.publish(path, [{"type": "MESSAGE_SENT", "data": data}])).raise_for_failed()


def _costs(participants: int) -> list[str]:
    # A transaction costs two write units per item of up to 1 KB; deleting the outbox record costs one more.
    # Index writes are the same for both and left out.
    route = (participants, participants, participants, 1, 1, 6 * 2 + 1)
    channel = (1, participants, 1, 0, 0, 6 * 2)
    rows = [f"requests of one message to {participants} participants: route, handler"]
    rows += [f"  {name:22} {a:5} {b:5}" for (name, _), a, b in zip(_COST, route, channel, strict=True)]
    dollars = [
        sum(price * count for (_, price), count in zip(_COST, counts, strict=True)) for counts in (route, channel)
    ]
    rows.append(f"  dollars per million    {dollars[0]:5.2f} {dollars[1]:5.2f}")
    return rows
