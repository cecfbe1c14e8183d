"""The throughput of partitions: a bucket for each that refills every second."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Final

_BUCKETS_MAX: Final = 50_000
"""Buckets that are kept; the fullest ones are forgotten first, which changes nothing."""


@dataclass
class _Bucket:
    units: float
    filled_at: float


class Throughput:
    """Units that may still be used, by partition.

    A request is refused where the bucket is empty. What it costs is known only afterwards, so one request may take a
    bucket below zero, and the following ones wait for it to refill.

    Args:
        units_per_second: size of a bucket, and how much flows back in a second.
        clock: seconds, steadily growing.
    """

    def __init__(self, units_per_second: float, clock: Callable[[], float]) -> None:
        self._rate = units_per_second
        self._clock = clock
        self._buckets: dict[Hashable, _Bucket] = {}

    def exhausted(self, partitions: Iterable[Hashable]) -> bool:
        """Return whether one of the partitions has no unit left."""
        return any(self._level(partition) <= 0 for partition in partitions)

    def charge(self, partition: Hashable, units: float) -> None:
        """Use units of a partition."""
        level = self._level(partition)
        self._buckets[partition] = _Bucket(level - units, self._clock())
        if len(self._buckets) > _BUCKETS_MAX:
            self._buckets = {name: kept for name, kept in self._buckets.items() if self._level(name) < self._rate}

    def _level(self, partition: Hashable) -> float:
        bucket = self._buckets.get(partition)
        if bucket is None:
            return self._rate
        return min(self._rate, bucket.units + (self._clock() - bucket.filled_at) * self._rate)
