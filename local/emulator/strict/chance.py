"""Chance of a rule, from a seed."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, MutableSequence
from typing import Any


class Chance:
    """Random decisions that a seed repeats. Safe to use from several threads.

    Args:
        seed: returns the seed; when it changes, the decisions begin again.
    """

    def __init__(self, seed: Callable[[], int]) -> None:
        self._seed, self._used = seed, seed()
        self._random = random.Random(self._used)  # noqa: S311 - chance of a test fault, nothing secret
        self._lock = threading.Lock()

    def strikes(self, probability: float) -> bool:
        """Return whether an event of this probability, from 0 to 1, happens."""
        with self._lock:
            return self._seeded().random() < probability

    def between(self, low: float, high: float) -> float:
        """Return a number between two bounds."""
        with self._lock:
            return self._seeded().uniform(low, high)

    def shuffle(self, members: MutableSequence[Any]) -> None:
        """Put members in another order, in place."""
        with self._lock:
            self._seeded().shuffle(members)

    def _seeded(self) -> random.Random:
        if self._seed() != self._used:
            self._used = self._seed()
            self._random = random.Random(self._used)  # noqa: S311 - as above
        return self._random
