"""Fan-out from one publisher to 100 subscribers: the Events service, with and without handlers, against Socket.IO.

Measures deliveries a second in a closed loop, and the latency of deliveries at a fixed rate. The same load generator,
one process on uvloop that counts bytes, serves both servers. The servers are measured in turn, round after round. On a
machine with other load, the server's processor time per delivery is more reliable than the wall clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import uvloop

from bench.events_service.fanout_client import LoadGroup, deliveries_per_second, latencies
from bench.events_service.fanout_servers import Dialect, events_service, socket_io

ROUNDS = 7
SUBSCRIBERS: Final = 100
WINDOW: Final = 16
LOOP_SECONDS: Final = 1.5
PER_SECOND: Final = 100
RATE_SECONDS: Final = 1.5


@dataclass
class Figures:
    """The figures of one server, one value per round."""

    dialect: Dialect
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)


def run(rounds: int) -> list[str]:
    """Measure so many rounds, after one warm-up round."""
    with contextlib.ExitStack() as stack:
        baseline = stack.enter_context(socket_io())
        plain, handled = stack.enter_context(events_service())
        figures = [Figures(dialect) for dialect in (baseline, plain, handled)]
        for number in range(rounds + 1):
            for each in figures:
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
                    rate, cpu, measured = loop.run(_round(each.dialect))
                if number:
                    percentiles = statistics.quantiles(measured, n=100)
                    each.rates.append(rate)
                    each.cpu.append(cpu)
                    each.p50.append(percentiles[49])
                    each.p99.append(percentiles[98])
    return _table(figures, rounds)


async def _round(dialect: Dialect) -> tuple[float, float, list[float]]:
    group = await LoadGroup.connect(dialect, SUBSCRIBERS)
    gc.collect()
    gc.disable()
    try:
        before = _cpu_seconds(dialect.pid)
        rate, deliveries = await deliveries_per_second(group, LOOP_SECONDS, WINDOW)
        cpu = (_cpu_seconds(dialect.pid) - before) / deliveries * 1e6
        return rate, cpu, await latencies(group, RATE_SECONDS, PER_SECOND)
    finally:
        gc.enable()
        group.close()


def _cpu_seconds(pid: int) -> float:
    """Return the processor time of a process in user and system mode (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _table(figures: list[Figures], rounds: int) -> list[str]:
    baseline, plain, handled = figures
    heads = (f"deliveries/s, window {WINDOW}", "server's CPU", f"ms at {PER_SECOND}/s: p50", "p99")
    lines = [
        f"Fan-out, 1 publisher, {SUBSCRIBERS} subscribers ({rounds} interleaved rounds, medians [lowest-highest])",
        f"  {'':28} {heads[0]:>28} {heads[1]:>14} {heads[2]:>16} {heads[3]:>18}",
    ]
    for each in figures:
        rates = f"{_k(each.rates)} k [{min(each.rates) / 1000:.0f}-{max(each.rates) / 1000:.0f}]"
        p99 = f"{statistics.median(each.p99):.1f} [{min(each.p99):.1f}-{max(each.p99):.1f}]"
        cpu, p50 = f"{statistics.median(each.cpu):.1f} µs each", statistics.median(each.p50)
        lines.append(f"  {each.dialect.name:28} {rates:>28} {cpu:>14} {p50:>16.1f} {p99:>18}")
    ratios = (
        ("deliveries/s, Events service : Socket.IO", plain.rates, baseline.rates, "goal: at least 1.2"),
        ("deliveries/s, handlers on : off", handled.rates, plain.rates, "goal: at least 0.7"),
        ("CPU a delivery, Events service : Socket.IO", plain.cpu, baseline.cpu, ""),
        ("CPU a delivery, handlers on : off", handled.cpu, plain.cpu, ""),
        ("p50, Events service : Socket.IO", plain.p50, baseline.p50, ""),
        ("p99, Events service : Socket.IO", plain.p99, baseline.p99, "goal: at most 1"),
        ("p99, handlers on : Socket.IO", handled.p99, baseline.p99, ""),
    )
    lines.append("  ratios, medians over the rounds:")
    return [*lines, *(f"    {name:42} {_ratio(one, other):.2f}   {goal}" for name, one, other, goal in ratios)]


def _k(rates: list[float]) -> str:
    return f"{statistics.median(rates) / 1000:.0f}"


def _ratio(subject: list[float], baseline: list[float]) -> float:
    return statistics.median(value / base for value, base in zip(subject, baseline, strict=True))
