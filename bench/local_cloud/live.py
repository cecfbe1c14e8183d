"""Message latency on a local cloud: 50 users in 25 direct conversations, each sending one message a second.

Every client is this repository's Python client with its own WebSocket. Two latencies per message: from the request to
the event at the other client, and from the response to that event; the latter is negative if the event comes first.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

from bench.local_cloud.users import User, sign_up
from client.api.targets import Target, parse
from local.testing import LocalCloud

ROUNDS = 1
USERS = 50
SECONDS = 20
_SETTLE_SECONDS = 10
_JOIN_SECONDS = 0.21


def run(rounds: int) -> list[str]:
    """Return the latencies of so many runs of `SECONDS` each."""
    with tempfile.TemporaryDirectory() as scratch, LocalCloud.start(Path(scratch)) as cloud:
        target = parse(json.dumps(cloud.document), "the benchmark's local cloud")
        return [line for _ in range(rounds) for line in asyncio.run(_measure(target))]


class _Arrivals:
    """The times at which messages arrived at the other client."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, float]] = []
        self.complete = asyncio.Event()

    def on_event(self, user_id: str, event: Any) -> None:
        """Record the arrival of a message of the other user."""
        if event["type"] == "MESSAGE_SENT" and event["data"]["senderId"] != user_id:
            self.seen.append((event["data"]["tempId"], time.monotonic()))
            if len(self.seen) >= USERS * SECONDS:
                self.complete.set()


async def _measure(target: Target) -> list[str]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        arrivals = _Arrivals()
        users = [await sign_up(target, http, str(number), arrivals.on_event) for number in range(USERS)]
        sent: dict[str, tuple[float, float]] = {}
        opened = [
            (await left.api.open_direct(right.user_id)).conversation.conversationId
            for left, right in zip(users[::2], users[1::2], strict=True)
        ]
        talks = enumerate((user, opened[number // 2]) for number, user in enumerate(users))
        await asyncio.gather(*(_send(user, talk, number, sent) for number, (user, talk) in talks))
        await _settle(arrivals)
        await asyncio.gather(*(user.events.close() for user in users))
    return _figures(arrivals.seen, sent)


async def _send(user: User, conversation_id: str, number: int, sent: dict[str, tuple[float, float]]) -> None:
    """Send one message a second; the users start one after the other, so that functions start under growing load."""
    await asyncio.sleep(number * _JOIN_SECONDS)
    for _ in range(SECONDS):
        next_at = time.monotonic() + 1
        temp_id = str(uuid.uuid4())
        asked = time.monotonic()
        await user.api.send_message(conversation_id, "hello", temp_id=temp_id)
        sent[temp_id] = (asked, time.monotonic())
        await asyncio.sleep(max(0.0, next_at - time.monotonic()))


async def _settle(arrivals: _Arrivals) -> None:
    """Wait until every message has arrived, and then one second for duplicates."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SETTLE_SECONDS):
            await arrivals.complete.wait()
    await asyncio.sleep(1)


def _figures(seen: list[tuple[str, float]], sent: dict[str, tuple[float, float]]) -> list[str]:
    arrivals = Counter(temp_id for temp_id, _ in seen)
    first = dict(reversed(seen))
    from_request = [(first[temp_id] - asked) * 1000 for temp_id, (asked, _) in sent.items() if temp_id in first]
    from_answer = [(first[temp_id] - accepted) * 1000 for temp_id, (_, accepted) in sent.items() if temp_id in first]
    lost = len(sent) - len(from_request)
    duplicated = sum(1 for times in arrivals.values() if times > 1)
    return [
        f"{USERS} users x 1 message a second for {SECONDS} s: {len(sent)} accepted, "
        f"{lost} lost, {duplicated} duplicated",
        f"  request to the other client   {_spread(from_request)}",
        f"  accepted to the other client  {_spread(from_answer)}",
    ]


def _spread(milliseconds: list[float]) -> str:
    p50, p95 = (statistics.quantiles(milliseconds, n=100)[percent - 1] for percent in (50, 95))
    return f"p50 {p50:7.1f} ms   p95 {p95:7.1f} ms"
