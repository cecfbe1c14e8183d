"""Items that transactions hold while they run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from local.emulator.strict.dynamodb.items import Item


class HeldItems:
    """The items of the running transactions. Used from the event loop only."""

    def __init__(self) -> None:
        self._held: Counter[Item] = Counter()

    def conflicts(self, items: Iterable[Item]) -> list[bool]:
        """Return, for each item, whether a running transaction holds it."""
        return [item in self._held for item in items]

    @contextmanager
    def hold(self, items: Iterable[Item]) -> Iterator[None]:
        """Hold items for the duration of a block."""
        kept = list(items)
        self._held.update(kept)
        try:
            yield
        finally:
            self._held.subtract(kept)
            for item in kept:
                if self._held[item] <= 0:
                    del self._held[item]
