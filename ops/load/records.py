"""What happened to every message of a load run."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hdrh.histogram import HdrHistogram

_LEAST: Final = 1
_MOST: Final = 600_000_000
"""Ten minutes, in microseconds."""
_DIGITS: Final = 3
_MICROSECONDS: Final = 1_000_000
PERCENTILES: Final = (50.0, 90.0, 95.0, 99.0, 99.9)


class Latencies:
    """A histogram of latencies with three significant digits (HdrHistogram)."""

    def __init__(self) -> None:
        self._histogram = HdrHistogram(_LEAST, _MOST, _DIGITS)

    def add(self, seconds: float) -> None:
        """Record one latency; a negative one, from two clocks, counts as none."""
        self._histogram.record_value(max(_LEAST, min(round(seconds * _MICROSECONDS), _MOST)))

    @property
    def count(self) -> int:
        """Return how many were recorded."""
        return int(self._histogram.get_total_count())

    def milliseconds(self, percentile: float) -> float:
        """Return the latency that so many percent do not exceed; 0 without any."""
        return float(self._histogram.get_value_at_percentile(percentile)) / 1000 if self.count else 0.0

    @property
    def max_milliseconds(self) -> float:
        """Return the greatest latency."""
        return float(self._histogram.get_max_value()) / 1000 if self.count else 0.0

    def as_json(self) -> dict[str, float]:
        """Return the figures in milliseconds, by the name of each."""
        figures = {f"p{percentile:g}": round(self.milliseconds(percentile), 1) for percentile in PERCENTILES}
        return {"count": self.count, **figures, "max": round(self.max_milliseconds, 1)}


@dataclass
class Sent:
    """One message.

    Args:
        second: the second of the run in which it should have been sent.
        intended: when it should have been sent, on the clock of the run.
        asked: when the request was sent.
        accepted: when the response came; None while there is none, and if it was refused.
        receivers: how many users receive it.
    """

    second: int
    intended: float
    asked: float
    receivers: int
    accepted: float | None = None


@dataclass
class Records:
    """Every message of a run, its response and its arrivals.

    Args:
        response: from the intended time of the request to its response.
        response_service: from the request to its response.
        received: from the intended time of the request to the event at each receiver.
        received_service: from the request to the event at each receiver.
        errors: refused or failed requests, by status and code.
        duplicates: events that a receiver got again.
        reordered: events that came after one with a greater sequence number.

    Attributes:
        messages: every message by its tempId.
        accepted: how many were accepted.
        missing: how many events of accepted messages have not arrived at one of their receivers.
        settled: set while no event is missing.
        received_in: `received` of the messages that should have been sent in each second.
    """

    response: Latencies = field(default_factory=Latencies)
    response_service: Latencies = field(default_factory=Latencies)
    received: Latencies = field(default_factory=Latencies)
    received_service: Latencies = field(default_factory=Latencies)
    errors: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    reordered: int = 0

    def __post_init__(self) -> None:
        self.messages: dict[str, Sent] = {}
        self._arrivals: dict[str, set[str]] = {}
        self._greatest: dict[tuple[str, str], int] = {}
        self.received_in: dict[int, Latencies] = {}
        self.accepted = 0
        self.missing = 0
        self.settled = asyncio.Event()

    def ask(self, temp_id: str, sent: Sent) -> None:
        """Record that a request is sent."""
        self.messages[temp_id] = sent

    def accept(self, temp_id: str, now: float) -> None:
        """Record a response that accepts a message."""
        sent = self.messages[temp_id]
        sent.accepted = now
        self.accepted += 1
        self._miss(sent.receivers - len(self._arrivals.get(temp_id, ())))
        self.response.add(now - sent.intended)
        self.response_service.add(now - sent.asked)

    def refuse(self, temp_id: str, reason: str) -> None:
        """Record a response that refuses a message, or its absence."""
        self.errors[reason] += 1

    def arrive(self, receiver: str, message: Mapping[str, Any], now: float) -> None:
        """Record an event of a message at a receiver.

        Args:
            receiver: the user's id.
            message: `data` of the event MESSAGE_SENT.
            now: on the clock of the run.
        """
        sent = self.messages.get(message.get("tempId") or "")
        if sent is None or message["senderId"] == receiver:
            return
        arrived = self._arrivals.setdefault(message["tempId"], set())
        if receiver in arrived:
            self.duplicates += 1
            return
        arrived.add(receiver)
        if sent.accepted is not None:
            self._miss(-1)
        self.received.add(now - sent.intended)
        self.received_service.add(now - sent.asked)
        self.received_in.setdefault(sent.second, Latencies()).add(now - sent.intended)
        place = (receiver, message["conversationId"])
        seq = message.get("seq") or 0
        self.reordered += seq < self._greatest.get(place, 0)
        self._greatest[place] = max(seq, self._greatest.get(place, 0))

    def _miss(self, more: int) -> None:
        """Count the events that are still to come."""
        self.missing += more
        if self.missing:
            self.settled.clear()
        else:
            self.settled.set()

    @property
    def in_flight(self) -> int:
        """Return how many requests have no response yet."""
        return len(self.messages) - self.accepted - self.errors.total()

    def accepted_between(self, start: float, end: float) -> int:
        """Return how many messages were accepted in a period of the run's clock."""
        return sum(1 for each in self.messages.values() if each.accepted is not None and start <= each.accepted < end)

    def by_second(self, seconds: Iterable[int], start: float) -> list[dict[str, float]]:
        """Return for each second what was offered and accepted, and the p95 of what should have been sent in it."""
        offered = Counter(each.second for each in self.messages.values())
        accepted = Counter(int(each.accepted - start) for each in self.messages.values() if each.accepted is not None)
        return [
            {
                "second": second,
                "offered": offered[second],
                "accepted": accepted[second],
                "receivedP95": round(self.received_in.get(second, Latencies()).milliseconds(95), 1),
            }
            for second in seconds
        ]
