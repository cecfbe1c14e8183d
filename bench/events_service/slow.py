"""Slow consumers: latency of 40 readers while 10 other subscribers never read, until the service closes those.

One publisher at a fixed rate; in the baseline all fifty connections read. The ten stop reading before the publishing
starts: their socket buffers fill, then the service's buffers for them, and at `--max-unsent-bytes` the service closes
their connections. All of that happens while the latency of the 40 readers is measured.
"""

from __future__ import annotations

import asyncio
import socket
import statistics
from typing import Final

import uvloop

from bench.events_service.fanout_client import Client, LoadGroup, connect, latencies
from bench.events_service.fanout_servers import EventsDialect
from bench.events_service.process import ServiceProcess, service

ROUNDS = 5
READERS: Final = 40
STUCK: Final = 10
TEXT: Final = "x" * 8_000
PER_SECOND: Final = 100
SECONDS: Final = 8.0
MAX_UNSENT_BYTES: Final = 1 << 20


def run(rounds: int) -> list[str]:
    """Measure so many rounds, each without and with subscribers that never read."""
    alone: list[float] = []
    beside: list[float] = []
    memory: list[float] = []
    with service("--max-unsent-bytes", str(MAX_UNSENT_BYTES)) as running:
        dialect = EventsDialect("Events service", running.port, running.pid, "plain")
        for _ in range(rounds):
            for reading, p99s in ((True, alone), (False, beside)):
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
                    p99, grown = loop.run(_round(running, dialect, reading=reading))
                p99s.append(p99)
                if not reading:
                    memory.append(grown)
    ratio = statistics.median(one / other for one, other in zip(beside, alone, strict=True))
    rate = f"{PER_SECOND} events of {len(TEXT) // 1000} KB a second to {READERS} readers"
    return [
        f"Slow consumers: {rate} ({rounds} interleaved rounds, medians)",
        f"  p99 beside {STUCK} more that read       {statistics.median(alone):8.1f} ms",
        f"  p99 beside {STUCK} that never read      {statistics.median(beside):8.1f} ms   ratio {ratio:.2f}",
        f"  all {STUCK} were closed, above {MAX_UNSENT_BYTES >> 20} MiB unsent each; the service's memory grew "
        f"by at most {max(memory) / (1 << 20):.0f} MiB",
    ]


async def _round(running: ServiceProcess, dialect: EventsDialect, *, reading: bool) -> tuple[float, float]:
    """Return the readers' p99 in milliseconds, and the largest growth of the service's memory in bytes.

    Raises:
        RuntimeError: a connection that never reads is still open, or a reading one was closed.
    """
    others = [await _other(dialect, reading=reading) for _ in range(STUCK)]
    group = await LoadGroup.connect(dialect, READERS, TEXT)
    before, highest = running.memory_bytes(), 0

    async def watch() -> None:
        nonlocal highest
        while True:
            highest = max(highest, running.memory_bytes())
            await asyncio.sleep(0.1)

    watching = asyncio.create_task(watch())
    measured = await latencies(group, SECONDS, PER_SECOND)
    watching.cancel()
    connections, _ = await asyncio.to_thread(running.activity)
    expected = READERS + 1 + (STUCK if reading else 0)
    if connections != expected:
        raise RuntimeError(f"{connections} connections are open, expected the {expected} that read")
    group.close()
    for client in others:
        client.close()
    return statistics.quantiles(measured, n=100)[98], highest - before


async def _other(dialect: EventsDialect, *, reading: bool) -> Client:
    """Return a subscriber without measurement; if it never reads, its receive buffer is small as well."""
    client = await connect(dialect)
    await client.subscribed(dialect)
    assert client.transport is not None
    client.on_data = lambda data: None
    if not reading:
        client.transport.pause_reading()
        client.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return client
