"""Memory per connection of 5,000 idle connections in one process, each with its own subscription.

Afterwards an event is published to one of them, and all are closed: the delivery must work, and none may remain.
"""

from __future__ import annotations

import asyncio
import resource
import time
from typing import Final

import uvloop

from bench.events_service.fanout_client import Client, connect, event
from bench.events_service.fanout_servers import EventsDialect
from bench.events_service.process import ServiceProcess, service

ROUNDS = 1
CONNECTIONS: Final = 5_000
AT_ONCE: Final = 50
SPARE_FILES: Final = 200
GONE_SECONDS: Final = 30.0


def run(rounds: int) -> list[str]:
    """Open the connections so many times, each time in a new process."""
    _allow_files(CONNECTIONS + SPARE_FILES)
    lines = []
    for _ in range(rounds):
        with service() as running, asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
            lines += loop.run(_measure(running))
    return lines


def _allow_files(count: int) -> None:
    """Raise the limit of open files of this process, which the service inherits.

    Raises:
        RuntimeError: the hard limit is too low.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise RuntimeError(f"{count} open files are needed, the hard limit is {hard}; raise it with ulimit -Hn")
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


async def _measure(running: ServiceProcess) -> list[str]:
    empty = running.memory_bytes()
    started = time.perf_counter()
    clients: list[Client] = []
    for first in range(0, CONNECTIONS, AT_ONCE):
        numbers = range(first, first + AT_ONCE)
        clients += await asyncio.gather(*(_subscriber(running, number) for number in numbers))
    opened = time.perf_counter() - started
    full = running.memory_bytes()
    counted = await asyncio.to_thread(running.activity)
    if counted != (CONNECTIONS, CONNECTIONS):
        raise RuntimeError(f"the service reports {counted} connections and subscriptions, not {CONNECTIONS} of each")
    milliseconds = await _delivery_milliseconds(running, clients[CONNECTIONS // 2], CONNECTIONS // 2)
    for client in clients:
        client.close()
    gone = await _close_seconds(running)
    return [
        f"{CONNECTIONS:,} idle connections with a subscription each, one process",
        f"  opened in {opened:.1f} s; memory {empty / (1 << 20):.0f} MB before, {full / (1 << 20):.0f} MB with them: "
        f"{(full - empty) / CONNECTIONS / 1024:.1f} KB each",
        f"  delivery to one of them in {milliseconds:.1f} ms; all closed by the service {gone:.1f} s after the clients",
    ]


def _dialect(running: ServiceProcess, number: int) -> EventsDialect:
    """Return the dialect of a client with its own channel."""
    return EventsDialect("Events service", running.port, running.pid, "plain", f"channel{number}")


async def _subscriber(running: ServiceProcess, number: int) -> Client:
    dialect = _dialect(running, number)
    client = await connect(dialect)
    await client.subscribed(dialect)
    return client


async def _delivery_milliseconds(running: ServiceProcess, client: Client, number: int) -> float:
    dialect = _dialect(running, number)
    publisher = await connect(dialect)
    started = time.perf_counter()
    publisher.send(dialect.publishing(event(0)))
    message = await client.next_message()
    elapsed = time.perf_counter() - started
    if dialect.event(message) != event(0):
        raise RuntimeError(f"another event arrived: {message[:300]!r}")
    publisher.close()
    return elapsed * 1000


async def _close_seconds(running: ServiceProcess) -> float:
    started = time.perf_counter()
    while await asyncio.to_thread(running.activity) != (0, 0):
        if time.perf_counter() - started > GONE_SECONDS:
            raise RuntimeError(f"{running.activity()} connections and subscriptions remain")
        await asyncio.sleep(0.05)
    return time.perf_counter() - started
