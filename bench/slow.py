"""Slow consumers: what 90 readers notice of 10 others that never read, until the service cuts those off.

One publisher at a fixed rate. The ten stop reading before it starts: their socket buffers fill, then the service's
buffers for them, and at `--max-unsent-bytes` their connections are cut; all of that happens while the others are timed.
"""

from __future__ import annotations

import asyncio
import statistics
from typing import Final

import uvloop

from bench.events_service import ServiceProcess, service
from bench.fanout_client import Client, Crowd, connect, latencies
from bench.fanout_servers import EventsDialect

ROUNDS = 3
READERS: Final = 90
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
            for stuck, p99s in ((0, alone), (STUCK, beside)):
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
                    p99, grown = loop.run(_round(running, dialect, stuck))
                p99s.append(p99)
                if stuck:
                    memory.append(grown)
    ratio = statistics.median(one / other for one, other in zip(beside, alone, strict=True))
    rate = f"{PER_SECOND} events of {len(TEXT) // 1000} KB a second to {READERS} readers"
    return [
        f"Slow consumers: {rate} ({rounds} interleaved rounds, medians)",
        f"  p99 alone                         {statistics.median(alone):8.1f} ms",
        f"  p99 beside {STUCK} that never read      {statistics.median(beside):8.1f} ms   ratio {ratio:.2f}",
        f"  all {STUCK} were cut, above {MAX_UNSENT_BYTES >> 20} MiB unsent each; the service's memory grew by at most "
        f"{max(memory) / (1 << 20):.0f} MiB",
    ]


async def _round(running: ServiceProcess, dialect: EventsDialect, count: int) -> tuple[float, float]:
    """The readers' p99 in milliseconds, and by how many bytes the service's memory grew at most.

    Raises:
        RuntimeError: those who never read were not cut, or somebody else was.
    """
    stuck = [await _stuck(dialect) for _ in range(count)]
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
    if connections != READERS + 1:
        raise RuntimeError(f"{connections} connections are left of {READERS + 1} that read")
    crowd.disperse()
    for client in stuck:
        client.close()
    return statistics.quantiles(measured, n=100)[98], highest - before


async def _stuck(dialect: EventsDialect) -> Client:
    client = await connect(dialect)
    await client.subscribed(dialect)
    assert client.transport is not None
    client.transport.pause_reading()
    return client
