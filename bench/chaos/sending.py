"""Users who send at a steady pace, each repeating a failed send until it is stored."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from bench.chaos.clients import ChatUser, Talk
from client.errors import ClientError

_REPEAT_SECONDS: Final = 0.5


@dataclass
class Sends:
    """What was sent.

    Attributes:
        accepted_at: seconds (`time.monotonic`) of every acceptance, in order.
        texts: the accepted texts by conversation and sender, in the order of acceptance.
        given_up: sends whose client gave up at least once; they were repeated and accepted later.
        statuses: responses of the HTTP API by status; 0 counts requests without a response.
    """

    accepted_at: list[float] = field(default_factory=list)
    texts: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    given_up: int = 0
    statuses: Counter[int] = field(default_factory=Counter)

    def accept(self, talk: Talk, sender: ChatUser, text: str) -> None:
        """Record an acceptance."""
        self.accepted_at.append(time.monotonic())
        self.texts.setdefault((talk.id, sender.id), []).append(text)

    def traced(self) -> aiohttp.TraceConfig:
        """Return what counts the responses of an HTTP session."""
        config = aiohttp.TraceConfig()

        async def ended(_session: Any, _context: Any, end: aiohttp.TraceRequestEndParams) -> None:
            self.statuses[end.response.status] += 1

        async def failed(_session: Any, _context: Any, _end: aiohttp.TraceRequestExceptionParams) -> None:
            self.statuses[0] += 1

        config.on_request_end.append(ended)
        config.on_request_exception.append(failed)
        return config


class Sender:
    """One user who sends one message after the other.

    Args:
        user: an online user.
        talks: the conversations to write in.
        sends: records what was accepted.
        chance: chooses the conversation, the larger the rarer.
        interval: seconds from one send to the next.
    """

    def __init__(
        self, user: ChatUser, talks: Sequence[Talk], sends: Sends, chance: random.Random, interval: float
    ) -> None:
        self._user, self._talks, self._sends = user, talks, sends
        self._chance, self._interval = chance, interval
        # A message to a large group costs one publish for each member, so there are fewer of them.
        self._weights = [len(talk.members) ** -0.5 for talk in talks]
        self._sent = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set; return when the last message is stored."""
        next_at = time.monotonic() + self._chance.uniform(0, self._interval)
        while not stop.is_set():
            await asyncio.sleep(max(0.0, next_at - time.monotonic()))
            next_at = max(next_at + self._interval, time.monotonic())
            await self._send(self._chance.choices(self._talks, self._weights)[0])

    async def _send(self, talk: Talk) -> None:
        chat = self._user.chat
        assert chat is not None
        self._sent += 1
        text = f"{self._user.id} {self._sent}"
        handle = chat.conversation(talk.id)
        try:
            await handle.send(text)
        except ClientError:
            self._sends.given_up += 1
            await self._repeat(talk, text)
        self._sends.accept(talk, self._user, text)

    async def _repeat(self, talk: Talk, text: str) -> None:
        """Send the draft again until it is stored, as a user does who insists."""
        chat = self._user.chat
        assert chat is not None
        while True:
            await asyncio.sleep(_REPEAT_SECONDS)
            waiting = (key[1] for key, draft in chat.drafts.items() if key[0] == talk.id and draft.text == text)
            temp_id = next(waiting, None)
            if temp_id is None:  # its event arrived, which proves that it is stored
                return
            try:
                await chat.conversation(talk.id).resend(temp_id)
            except ClientError:
                continue
            return
