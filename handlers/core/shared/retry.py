"""How optimistic writes wait for one another."""

from __future__ import annotations

import random
from collections.abc import Iterator

from handlers.core.shared.ports import Clock

TRIES = 10
"""How often a write that depends on what it read is tried before the caller is told to come back."""
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.4


def attempts(clock: Clock, tries: int = TRIES) -> Iterator[int]:
    """Yield 0, 1, 2 … with a random, growing pause between them, so that writers do not march in step."""
    for attempt in range(tries):
        if attempt:
            longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
            clock.pause(random.uniform(0, longest))  # noqa: S311  # spreads load, guards nothing
        yield attempt
