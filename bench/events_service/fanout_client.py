"""Load generator: one publisher and its subscribers in this process, at minimal cost.

All deliveries of a run have the same length, so a subscriber counts bytes and does not parse them: the measurement is
of the server. The first delivery of every subscriber is compared in full.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Final, cast

from bench.events_service.fanout_servers import Dialect
from bench.events_service.websocket import frame, payload_of

ANSWER_SECONDS: Final = 20.0
TEXT: Final = "The lecture on distributed systems moves to hall 204, please bring the printed exercises with you. "


def event(number: int, text: str = TEXT) -> bytes:
    """Return a chat message as JSON text; messages with the same text have the same length."""
    return json.dumps({"n": f"{number:08}", "sender": "ada", "text": text}, separators=(",", ":")).encode()


class Client(asyncio.Protocol):
    """One WebSocket connection; after the handshake, all received bytes go to `on_data`."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.on_data: Callable[[bytes], None] = self._keep
        self._kept = b""
        self._news = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.on_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._news.set()

    def send(self, message: bytes) -> None:
        assert self.transport is not None
        self.transport.write(frame(message))

    async def opened(self, dialect: Dialect) -> None:
        """Upgrade the connection and complete the server's handshake."""
        assert self.transport is not None
        self.transport.write(dialect.request())
        await self._until(lambda: b"\r\n\r\n" in self._kept)
        head, _, self._kept = self._kept.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise RuntimeError(f"{dialect.name} refuses the upgrade: {head[:200]!r}")
        for message, answer in dialect.opening():
            if message:
                self.send(message)
            await self._answer(answer)

    async def subscribed(self, dialect: Dialect) -> None:
        """Subscribe and wait for the acknowledgement."""
        message, answer = dialect.subscribing()
        self.send(message)
        await self._answer(answer)

    async def next_message(self) -> bytes:
        """Return the next message; not available after `on_data` was replaced."""
        await self._until(lambda: payload_of(self._kept) is not None)
        message, self._kept = payload_of(self._kept) or (b"", b"")
        return message

    def close(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    async def _answer(self, holds: bytes) -> None:
        message = await self.next_message()
        if holds not in message:
            raise RuntimeError(f"expected an answer with {holds!r}, received {message[:300]!r}")

    def _keep(self, data: bytes) -> None:
        self._kept += data
        self._news.set()

    async def _until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(ANSWER_SECONDS):
            while not happened():
                assert self.transport is not None
                if self.transport.is_closing():
                    raise ConnectionError("the server has closed the connection")
                self._news.clear()
                await self._news.wait()


async def connect(dialect: Dialect) -> Client:
    """Return a connection that may publish."""
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(Client, "127.0.0.1", dialect.port)
    await client.opened(dialect)
    return client


class LoadGroup:
    """A publisher and its subscribers.

    Attributes:
        bytes_each: size of one delivery, known after `connect`.
    """

    def __init__(self, dialect: Dialect, publisher: Client, subscribers: list[Client], text: str) -> None:
        self._dialect = dialect
        self._text = text
        self._publisher = publisher
        self.subscribers = subscribers
        self.bytes_each = 0
        self._numbers = 0

    @classmethod
    async def connect(cls, dialect: Dialect, count: int, text: str = TEXT) -> LoadGroup:
        """Connect the publisher and the subscribers, and check one delivery to each subscriber."""
        publisher = await connect(dialect)
        subscribers = [await connect(dialect) for _ in range(count)]
        for subscriber in subscribers:
            await subscriber.subscribed(dialect)
        group = cls(dialect, publisher, subscribers, text)
        await group._check_delivery()
        publisher.on_data = lambda data: None
        return group

    def publish(self) -> None:
        """Publish the next message."""
        self._publisher.send(self._dialect.publishing(event(self._numbers, self._text)))
        self._numbers += 1

    def close(self) -> None:
        """Close all connections."""
        for client in (self._publisher, *self.subscribers):
            client.close()

    async def _check_delivery(self) -> None:
        published = event(self._numbers, self._text)
        self.publish()
        for subscriber in self.subscribers:
            message = await subscriber.next_message()
            if self._dialect.event(message) != published:
                raise RuntimeError(f"{self._dialect.name} delivers another event: {message[:300]!r}")
        length = len(message)
        self.bytes_each = length + (2 if length < 126 else 4 if length < 1 << 16 else 10)


async def deliveries_per_second(group: LoadGroup, seconds: float, window: int) -> tuple[float, int]:
    """Publish with at most `window` undelivered messages, and count deliveries.

    Args:
        group: the publisher and subscribers.
        seconds: measured time; a warm-up of a fifth of it comes first.
        window: maximum number of published messages that are not yet delivered.

    Returns:
        Deliveries a second, and the total number of deliveries.
    """
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    message_bytes = group.bytes_each * len(group.subscribers)
    received, published = 0, 0

    def arrived(data: bytes) -> None:
        nonlocal received, published
        received += len(data)
        while not done.done() and published - received // message_bytes < window:
            group.publish()
            published += 1

    for subscriber in group.subscribers:
        subscriber.on_data = arrived
    arrived(b"")
    await asyncio.sleep(seconds / 5)
    before, started = received, time.perf_counter()
    await asyncio.sleep(seconds)
    counted, elapsed = received - before, time.perf_counter() - started
    done.set_result(None)
    await _drained(lambda: received == published * message_bytes)
    return counted / group.bytes_each / elapsed, received // group.bytes_each


async def latencies(group: LoadGroup, seconds: float, per_second: int) -> list[float]:
    """Publish at a fixed rate; return the milliseconds from each publish to each of its deliveries."""
    sent: list[float] = []
    measured: list[float] = []
    count = int(seconds * per_second)

    def counting(each: int) -> Callable[[bytes], None]:
        received, seen = 0, 0

        def arrived(data: bytes) -> None:
            nonlocal received, seen
            now = time.perf_counter()
            received += len(data)
            while seen < received // each:
                measured.append((now - sent[seen]) * 1000)
                seen += 1

        return arrived

    for subscriber in group.subscribers:
        subscriber.on_data = counting(group.bytes_each)
    started = time.perf_counter()
    for number in range(count):
        await asyncio.sleep(max(0.0, started + number / per_second - time.perf_counter()))
        sent.append(time.perf_counter())
        group.publish()
    await _drained(lambda: len(measured) == count * len(group.subscribers))
    return measured


async def _drained(complete: Callable[[], bool]) -> None:
    """Wait until all deliveries have arrived.

    Raises:
        RuntimeError: deliveries were lost or duplicated.
    """
    deadline = time.monotonic() + ANSWER_SECONDS
    while not complete():
        if time.monotonic() > deadline:
            raise RuntimeError("deliveries were lost or duplicated")
        await asyncio.sleep(0.01)
