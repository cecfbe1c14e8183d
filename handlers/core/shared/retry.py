"""Attempts of a conditional write, with random pauses."""

from __future__ import annotations

import random
from collections.abc import Iterator

from handlers.core.shared.ports import Clock

TRIES = 10
"""Most attempts of a write that is conditional on what was read, before the request fails with 503."""
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.4


def attempts(clock: Clock, tries: int = TRIES) -> Iterator[int]:
    """Yield 0, 1, 2 … with a random, growing pause between them, so that concurrent writers do not stay in step."""
    for attempt in range(tries):
        if attempt:
            longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
            clock.pause(random.uniform(0, longest))  # noqa: S311  # spreads load, guards nothing
        yield attempt
