"""A campus in small, on a local cloud: 50 users in 25 direct conversations, each sending one message a second.

Every client is the product's own Python client with a socket of its own. Two figures a message: from the request to
the event at the other client, and from the answer (accepted) to that event: below zero where the event is first.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import statistics
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp

from client.api import Api
from client.cognito import Cognito
from client.session import Session
from client.socket import EventsSocket
from client.targets import Target, parse
from handlers.core.contract import channels
from handlers.core.contract.requests import SendMessage
from local.testing import LocalCloud

ROUNDS = 1
USERS = 50
SECONDS = 20
_SETTLE_SECONDS = 10
_JOIN_SECONDS = 0.21
_CODE = "123456"


def run(rounds: int) -> list[str]:
    """Return the figures of so many runs of `SECONDS` each."""
    with tempfile.TemporaryDirectory() as scratch, LocalCloud.start(Path(scratch)) as cloud:
        target = parse(json.dumps(cloud.document), "the benchmark's local cloud")
        return [line for _ in range(rounds) for line in asyncio.run(_campus(target))]


class _User:
    """One signed-in user: an API client, a socket, and when each message arrived."""

    def __init__(self, user_id: str, api: Api, socket: EventsSocket) -> None:
        self.user_id = user_id
        self.api = api
        self.socket = socket
        self.arrivals: list[tuple[str, float]] = []
        self.complete = asyncio.Event()

    def on_event(self, document: Any) -> None:
        """Note when somebody else's message came."""
        if document["type"] == "MESSAGE_SENT" and document["data"]["senderId"] != self.user_id:
            self.arrivals.append((document["data"]["tempId"], time.monotonic()))
            if len(self.arrivals) >= SECONDS:
                self.complete.set()


async def _campus(target: Target) -> list[str]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        users = [await _user(target, http, number) for number in range(USERS)]
        sent: dict[str, tuple[float, float]] = {}
        opened = [
            (await left.api.open_direct(right.user_id)).conversation.conversationId
            for left, right in zip(users[::2], users[1::2], strict=True)
        ]
        talks = enumerate((user, opened[number // 2]) for number, user in enumerate(users))
        await asyncio.gather(*(_send(user, talk, number, sent) for number, (user, talk) in talks))
        await _settle(users)
        await asyncio.gather(*(user.socket.close() for user in users))
    return _figures(users, sent)


async def _user(target: Target, http: aiohttp.ClientSession, number: int) -> _User:
    cognito = Cognito(target, http)
    email, password = f"{uuid.uuid4().hex}@example.edu", f"Aa1!{secrets.token_urlsafe(12)}"
    user_id = await cognito.sign_up(email, password, first_name="User", last_name=str(number))
    await cognito.confirm(email, _CODE)
    session = await Session.sign_in(cognito, email, password)
    user = _User(user_id, Api(target, session, http), EventsSocket(target, session, http))
    user.socket.start()
    await user.socket.connected()
    await user.socket.subscribe(channels.channel(channels.CHATS, user_id), user.on_event)
    return user


async def _send(user: _User, conversation_id: str, number: int, sent: dict[str, tuple[float, float]]) -> None:
    """Send one message a second; the users join one after the other, so that functions start as load comes."""
    await asyncio.sleep(number * _JOIN_SECONDS)
    for _ in range(SECONDS):
        next_at = time.monotonic() + 1
        temp_id = str(uuid.uuid4())
        asked = time.monotonic()
        await user.api.send_message(SendMessage(conversationId=conversation_id, content="hello", tempId=temp_id))
        sent[temp_id] = (asked, time.monotonic())
        await asyncio.sleep(max(0.0, next_at - time.monotonic()))


async def _settle(users: list[_User]) -> None:
    """Wait until everything has arrived, and then a little for what should not."""
    for user in users:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SETTLE_SECONDS):
                await user.complete.wait()
    await asyncio.sleep(1)


def _figures(users: list[_User], sent: dict[str, tuple[float, float]]) -> list[str]:
    arrivals = Counter(temp_id for user in users for temp_id, _ in user.arrivals)
    first = {temp_id: at for user in users for temp_id, at in reversed(user.arrivals)}
    from_request = [(first[temp_id] - asked) * 1000 for temp_id, (asked, _) in sent.items() if temp_id in first]
    from_answer = [(first[temp_id] - accepted) * 1000 for temp_id, (_, accepted) in sent.items() if temp_id in first]
    lost = len(sent) - len(from_request)
    doubled = sum(1 for times in arrivals.values() if times > 1)
    return [
        f"{USERS} users x 1 message a second for {SECONDS} s: {len(sent)} accepted, {lost} lost, {doubled} doubled",
        f"  request to the other client   {_spread(from_request)}",
        f"  accepted to the other client  {_spread(from_answer)}",
    ]


def _spread(milliseconds: list[float]) -> str:
    p50, p95 = (statistics.quantiles(milliseconds, n=100)[percent - 1] for percent in (50, 95))
    return f"p50 {p50:7.1f} ms   p95 {p95:7.1f} ms"
