"""Sends malformed inputs to a running Events service and reports every violation.

About three quarters are messages on open connections; the rest are malformed frames, upgrade requests and publish
requests. The service must answer or close the connection in time, and never with an internal error.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

from bench.events_service.process import KEY
from bench.events_service.websocket import frame
from local.processes.ports import LOOPBACK
from tests.fuzz.inputs import Inputs

WORKERS: Final = 32
ANSWER_SECONDS: Final = 20.0
"""Longest wait for a required answer; long, since the machine may be busy."""
UNANSWERED_SECONDS: Final = 1.0
"""Longest wait for an optional answer to a malformed request, before the client closes the connection."""
MESSAGES_PER_CONNECTION: Final = 60
MESSAGES_PER_MARKER: Final = 20
INTERNAL_ERRORS: Final = (b"InternalFailure", b"ProcessingError")
INIT: Final = frame(b'{"type":"connection_init"}')


@dataclass
class Report:
    """The result of an attack.

    Attributes:
        inputs: number of inputs by kind.
        answers: number of answers by HTTP status, or by what happened to the connection.
        findings: all violations.
    """

    inputs: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Number of inputs."""
        return self.inputs.total()


async def attack(port: int, count: int, seed: int, *, key: str = KEY, seconds: float) -> Report:
    """Send inputs until there were `count`, or the time is up.

    Args:
        port: port of the service on loopback.
        count: number of inputs.
        seed: the same seed generates the same inputs.
        key: a valid API key.
        seconds: longest time.
    """
    report = Report()
    ends = time.monotonic() + seconds
    workers = (_Worker(port, Random(f"{seed}-{number}"), key, report) for number in range(WORKERS))
    await asyncio.gather(*(worker.run(count, ends) for worker in workers))
    return report


class _Worker:
    """One of the concurrent clients."""

    def __init__(self, port: int, random: Random, key: str, report: Report) -> None:
        self._port = port
        self._random = random
        self._inputs = Inputs(random, f"{LOOPBACK}:{port}", key)
        self._report = report

    async def run(self, count: int, ends: float) -> None:
        while self._report.count < count and time.monotonic() < ends:
            kind = self._random.random()
            if kind < 0.08:
                await self._send_messages(count)
            elif kind < 0.4:
                await self._send_malformed_frames()
            elif kind < 0.7:
                await self._request("upgrade", self._inputs.upgrade())
            else:
                await self._request("publish", self._inputs.publish())

    async def _send_messages(self, count: int) -> None:
        """Send messages in well-formed frames: afterwards the connection answers a marker, or is closed."""
        async with self._connected() as (reader, writer):
            writer.write(INIT)
            for number in range(MESSAGES_PER_CONNECTION):
                if self._report.count >= count or writer.transport.is_closing():
                    return
                sent = self._inputs.valid_frames()
                self._report.inputs["message"] += 1
                writer.write(sent)
                if number % MESSAGES_PER_MARKER != MESSAGES_PER_MARKER - 1:
                    continue
                marker = f"marker-{number}"
                writer.write(frame(f'{{"type":"unsubscribe","id":"{marker}"}}'.encode()))
                if not await self._answered(reader, marker.encode(), sent):
                    return

    async def _answered(self, reader: asyncio.StreamReader, marker: bytes, sent: bytes) -> bool:
        seen = b""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                while marker not in seen:
                    seen = seen[-len(marker) :] + (chunk := await reader.read(1 << 16))
                    self._check(chunk, sent)
                    if not chunk:
                        self._report.answers["connection closed"] += 1
                        return False
        except TimeoutError:
            self._report.findings.append(f"no answer within {ANSWER_SECONDS:g} s after {sent[:300]!r}")
            return False
        except ConnectionError:
            self._report.answers["connection closed"] += 1
            return False
        self._report.answers["connection stays open"] += 1
        return True

    async def _send_malformed_frames(self) -> None:
        """Send malformed frames and close the connection; the service must close it as well."""
        async with self._connected() as (reader, writer):
            sent = INIT + b"".join(self._inputs.malformed_frame() for _ in range(self._random.randint(1, 3)))
            self._report.inputs["malformed frame"] += 1
            writer.write(sent)
            await self._close(reader, writer, sent)

    async def _request(self, kind: str, sent: bytes) -> None:
        self._report.inputs[kind] += 1
        reader, writer = await asyncio.open_connection(LOOPBACK, self._port)
        try:
            writer.write(sent)
            answer = b""
            with contextlib.suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(UNANSWERED_SECONDS):
                    answer = await reader.readline()
            status = answer.split(b" ")[1].decode() if answer.startswith(b"HTTP/") else "no answer"
            self._report.answers[status] += 1
            if status >= "500" and status.isdigit():
                self._report.findings.append(f"{status} for {sent[:400]!r}")
            await self._close(reader, writer, sent)
        finally:
            writer.close()

    async def _close(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> None:
        """Close the client's side, and wait until the service closes its side."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                with contextlib.suppress(OSError):
                    writer.write_eof()
                while chunk := await reader.read(1 << 16):
                    self._check(chunk, sent)
        except ConnectionError:
            pass
        except TimeoutError:
            self._report.findings.append(
                f"still open {ANSWER_SECONDS:g} s after the client closed; sent {sent[:300]!r}"
            )

    def _check(self, seen: bytes, sent: bytes) -> None:
        if any(error in seen for error in INTERNAL_ERRORS):
            self._report.findings.append(f"internal error for {sent[:400]!r}: {seen[:300]!r}")

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Open a connection with a valid upgrade request."""
        reader, writer = await asyncio.open_connection(LOOPBACK, self._port)
        try:
            writer.write(self._inputs.connect_request())
            async with asyncio.timeout(ANSWER_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 101"):
                self._report.findings.append(f"a valid upgrade was refused: {head[:200]!r}")
            yield reader, writer
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
            self._report.findings.append(f"a valid upgrade had no answer: {error!r}")
        finally:
            writer.close()
