"""The figures of the page on capacity: simulations as tables and plots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contract import limits
from ops.capacity.quotas import quotas
from ops.capacity.storm import FanOut, Storm, fan_out, storm
from ops.drawing import drawing, panel

STORM_SIZES: Final = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
RAISED_RATE: Final = 20_000
FAN_OUT: Final = ((100, 1), (1_000, 1), (1_000, 20), (1_000, 50))
RECOVERY_REQUESTS: Final = 2
"""Requests of a client that is connected again: the list of conversations, and what it missed in the open one."""
_PLOTTED_SECONDS: Final = 120.0


def storms(rate: float) -> list[Storm]:
    """Return the storm of each size, all connections lost at one moment."""
    return [storm(clients, rate=rate) for clients in STORM_SIZES]


def storm_table(rates: Sequence[float] = (2_000, RAISED_RATE)) -> str:
    """Return the seconds until the clients are connected again, for the rates that an Event API accepts."""
    lines = [
        "| clients | connections/s accepted | half | 95 % | 99 % | all | refused attempts of each | views current |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for rate in rates:
        for each in storms(rate):
            times = " | ".join(_time(each.seconds[share]) for share in (50, 95, 99, 100))
            current = _time(max(each.seconds[100], each.clients * RECOVERY_REQUESTS / _throttle_rate()))
            lines.append(f"| {each.clients:,} | {rate:,.0f} | {times} | {each.refused:.1f} | {current} |")
    return "\n".join(lines) + "\n"


def fan_out_table() -> str:
    """Return the seconds until the last recipient has the event, with our limit of invocations and without it."""
    ours = f"last event, {limits.DELIVERY_INVOCATIONS_MAX} invocations"
    lines = [
        f"| messages at once | recipients of each | {ours} | repeated | last event, 100 invocations | repeated |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for recipients, messages in FAN_OUT:
        few, many = fan_out(recipients, messages=messages), fan_out(recipients, messages=messages, workers=100)
        lines.append(f"| {messages} | {recipients:,} | {_fan_out(few)} | {_fan_out(many)} |")
    return "\n".join(lines) + "\n"


def storm_plot() -> str:
    """Return the plot of the share of clients that is connected again."""
    found = [storm(clients) for clients in STORM_SIZES[:4]]
    series = {
        f"{each.clients:,} clients": [(at, share * 100) for at, share in each.curve if at <= _PLOTTED_SECONDS]
        for each in found
    }
    labels = {float(second): f"{second} s" for second in range(0, int(_PLOTTED_SECONDS) + 1, 20)}
    title = "Share of clients connected again after a cut (%), 2,000 a second"
    return drawing("Reconnection after a cut", [panel(title, series, labels)])


def _throttle_rate() -> float:
    return next(quota.value for quota in quotas() if quota.id == "api-stage")


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _fan_out(each: FanOut) -> str:
    return f"{each.last:.2f} s | {each.throttled:,}"
