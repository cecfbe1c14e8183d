"""Slow consumers: what 40 readers notice when 10 others never read, until the service cuts those off.

One publisher at a fixed rate; the baseline has the same fifty connections, all of them read. The ten stop reading
before it starts: their socket buffers fill, then the service's buffers for them, and at `--max-unsent-bytes` their
connections are cut; all of that happens while the others are timed.
"""

from __future__ import annotations

import asyncio
import socket
import statistics
from typing import Final

import uvloop

from bench.events_service import ServiceProcess, service
from bench.fanout_client import Client, Crowd, connect, latencies
from bench.fanout_servers import EventsDialect

ROUNDS = 5
READERS: Final = 40
STUCK: Final = 10
TEXT: Final = "x" * 8_000
PER_SECOND: Final = 100
SECONDS: Final = 8.0
MAX_UNSENT_BYTES: Final = 1 << 20


def run(rounds: int) -> list[str]:
    """Measure so many rounds, each without and with readers that are stuck."""
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
        f"  all {STUCK} were cut, above {MAX_UNSENT_BYTES >> 20} MiB unsent each; the service's memory grew by at most "
        f"{max(memory) / (1 << 20):.0f} MiB",
    ]


async def _round(running: ServiceProcess, dialect: EventsDialect, *, reading: bool) -> tuple[float, float]:
    """The readers' p99 in milliseconds, and by how many bytes the service's memory grew at most.

    Raises:
        RuntimeError: those who never read were not cut, or somebody else was.
    """
    others = [await _other(dialect, reading=reading) for _ in range(STUCK)]
    crowd = await Crowd.gather(dialect, READERS, TEXT)
    before, highest = running.memory_bytes(), 0

    async def watch() -> None:
        nonlocal highest
        while True:
            highest = max(highest, running.memory_bytes())
            await asyncio.sleep(0.1)

    watching = asyncio.create_task(watch())
    measured = await latencies(crowd, SECONDS, PER_SECOND)
    watching.cancel()
    connections, _ = await asyncio.to_thread(running.activity)
    expected = READERS + 1 + (STUCK if reading else 0)
    if connections != expected:
        raise RuntimeError(f"{connections} connections are left of {expected} that read")
    crowd.disperse()
    for client in others:
        client.close()
    return statistics.quantiles(measured, n=100)[98], highest - before


async def _other(dialect: EventsDialect, *, reading: bool) -> Client:
    """A subscriber that is not timed; unless it reads, it stops now, and the kernel keeps little for it."""
    client = await connect(dialect)
    await client.subscribed(dialect)
    assert client.transport is not None
    client.on_data = lambda data: None
    if not reading:
        client.transport.pause_reading()
        client.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return client
