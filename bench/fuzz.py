"""100,000 spoilt inputs for the Events service: no crash, no leak, no hang. `python -m bench fuzz --count 100000`.

Three quarters are messages of open connections; the rest are broken frames, upgrades and publish requests. Whatever is
sent, the service must answer or close in time, never with a fault of its own, and be afterwards as it was before.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Final

from bench.events_service import KEY, ServiceProcess, service
from bench.fuzz_inputs import Inputs
from bench.websocket import frame
from local.processes.ports import LOOPBACK

ROUNDS = 100_000
SEED: Final = 7
WORKERS: Final = 32
PATIENCE_SECONDS: Final = 20.0
"""Longest wait for an answer that must come; the machine may be busy."""
UNANSWERED_SECONDS: Final = 1.0
"""How long an answer to a broken request, which may need none, is waited for before the client hangs up."""
MESSAGES_PER_CONNECTION: Final = 60
MESSAGES_PER_MARKER: Final = 20
SETTLE_SECONDS: Final = 20.0
LONGEST_SECONDS: Final = 1800.0
ALLOWED_GROWTH_BYTES: Final = 16 << 20
"""Of resident memory after the warm-up; caches are full by then."""
OWN_FAULTS: Final = (b"InternalFailure", b"ProcessingError")
_ERROR: Final = re.compile(r"^\S+ (?:ERROR|CRITICAL) .*(?:\n(?!\d\d:\d\d:\d\d).*)*", re.MULTILINE)
"""An error of the log with its traceback; every entry starts with the time of day."""
INIT: Final = frame(b'{"type":"connection_init"}')


@dataclass
class Report:
    """What an attack saw.

    Attributes:
        inputs: how many of each kind were sent.
        answers: how many of each HTTP status, or of each way in which a connection went on.
        findings: everything that must not be.
    """

    inputs: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return self.inputs.total()


async def attack(port: int, count: int, seed: int, *, key: str = KEY, seconds: float = LONGEST_SECONDS) -> Report:
    """Send inputs until there were `count`, or the time is up.

    Args:
        port: of the service, on loopback.
        count: how many inputs.
        seed: the same seed sends the same inputs.
        key: a good API key.
        seconds: longest time.
    """
    report = Report()
    ends = time.monotonic() + seconds
    workers = (_Worker(port, Random(f"{seed}-{number}"), key, report) for number in range(WORKERS))
    await asyncio.gather(*(worker.run(count, ends) for worker in workers))
    return report


class _Worker:
    """One of the clients that send at the same time."""

    def __init__(self, port: int, random: Random, key: str, report: Report) -> None:
        self._port = port
        self._random = random
        self._inputs = Inputs(random, f"{LOOPBACK}:{port}", key)
        self._report = report

    async def run(self, count: int, ends: float) -> None:
        while self._report.count < count and time.monotonic() < ends:
            kind = self._random.random()
            if kind < 0.08:
                await self._talk(count)
            elif kind < 0.4:
                await self._break_framing()
            elif kind < 0.7:
                await self._request("upgrade", self._inputs.upgrade())
            else:
                await self._request("publish", self._inputs.publish())

    async def _talk(self, count: int) -> None:
        """Messages of any text in sound frames: the connection answers a marker afterwards, or has closed."""
        async with self._connected() as (reader, writer):
            writer.write(INIT)
            for number in range(MESSAGES_PER_CONNECTION):
                if self._report.count >= count or writer.transport.is_closing():
                    return
                sent = self._inputs.sound_frames()
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
            async with asyncio.timeout(PATIENCE_SECONDS):
                while marker not in seen:
                    seen = seen[-len(marker) :] + (chunk := await reader.read(1 << 16))
                    self._look_for_faults(chunk, sent)
                    if not chunk:
                        self._report.answers["connection closed"] += 1
                        return False
        except TimeoutError:
            self._report.findings.append(f"no answer within {PATIENCE_SECONDS:g} s after {sent[:300]!r}")
            return False
        except ConnectionError:
            self._report.answers["connection closed"] += 1
            return False
        self._report.answers["connection goes on"] += 1
        return True

    async def _break_framing(self) -> None:
        """Frames that are none; then the client hangs up, and the service must too."""
        async with self._connected() as (reader, writer):
            sent = INIT + b"".join(self._inputs.spoilt_frame() for _ in range(self._random.randint(1, 3)))
            self._report.inputs["broken frame"] += 1
            writer.write(sent)
            await self._hung_up(reader, writer, sent)

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
            await self._hung_up(reader, writer, sent)
        finally:
            writer.close()

    async def _hung_up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: bytes) -> None:
        """Hang up, and wait until the service has."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                with contextlib.suppress(OSError):
                    writer.write_eof()
                while chunk := await reader.read(1 << 16):
                    self._look_for_faults(chunk, sent)
        except ConnectionError:
            pass
        except TimeoutError:
            self._report.findings.append(f"still open {PATIENCE_SECONDS:g} s after hanging up; sent {sent[:300]!r}")

    def _look_for_faults(self, seen: bytes, sent: bytes) -> None:
        if any(fault in seen for fault in OWN_FAULTS):
            self._report.findings.append(f"a fault of the service's own for {sent[:400]!r}: {seen[:300]!r}")

    @contextlib.asynccontextmanager
    async def _connected(self):  # type: ignore[no-untyped-def]
        """A socket that was upgraded."""
        reader, writer = await asyncio.open_connection(LOOPBACK, self._port)
        try:
            writer.write(self._inputs.connect_request())
            async with asyncio.timeout(PATIENCE_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 101"):
                self._report.findings.append(f"a good upgrade was refused: {head[:200]!r}")
            yield reader, writer
        except (TimeoutError, asyncio.IncompleteReadError, ConnectionError) as error:
            self._report.findings.append(f"a good upgrade had no answer: {error!r}")
        finally:
            writer.close()


def run(rounds: int) -> list[str]:
    """Send so many inputs and tell what became of the service.

    Raises:
        SystemExit: something was found; the lines say what.
    """
    with service(log_level="INFO") as running:
        asyncio.run(attack(running.port, max(rounds // 10, 1), SEED - 1))
        _settle(running)
        memory, files = running.memory_bytes(), running.open_files()
        started = time.monotonic()
        report = asyncio.run(attack(running.port, rounds, SEED))
        seconds = time.monotonic() - started
        findings = [*report.findings, *_left_behind(running, memory, files)]
        kinds = ", ".join(f"{count:,} of kind {kind}" for kind, count in sorted(report.inputs.items()))
        answers = ", ".join(f"{answer}: {count:,}" for answer, count in sorted(report.answers.items()))
        grown = (running.memory_bytes() - memory) / (1 << 20)
        lines = [
            f"{report.count:,} inputs in {seconds:.0f} s (seed {SEED}): {kinds}",
            f"  answers: {answers}",
            f"  afterwards: memory {memory / (1 << 20):.0f} MB {grown:+.1f} MB, "
            f"open files {files} {running.open_files() - files:+d}, connections and subscriptions {running.activity()}",
            f"  findings: {len(findings)}",
            *(f"    {finding}" for finding in findings[:10]),
        ]
    if findings:
        raise SystemExit("\n".join(lines))
    return lines


def _settle(running: ServiceProcess) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while running.activity() != (0, 0) and time.monotonic() < deadline:
        time.sleep(0.2)


def _left_behind(running: ServiceProcess, memory: int, files: int) -> list[str]:
    """What is not as it was before."""
    _settle(running)
    found = []
    if running.activity() != (0, 0):
        found.append(f"connections and subscriptions are left: {running.activity()}")
    if running.open_files() > files + 2:
        found.append(f"open files grew from {files} to {running.open_files()}")
    if running.memory_bytes() > memory + ALLOWED_GROWTH_BYTES:
        found.append(f"memory grew from {memory} to {running.memory_bytes()} bytes")
    log = running.log.read_text(errors="replace")
    found += [f"in the log: {error[:200]} ... {error[-1000:]}" for error in _ERROR.findall(log)]
    return found
