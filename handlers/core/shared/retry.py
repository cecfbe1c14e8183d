"""Attempts of a conditional write, with random pauses."""

from __future__ import annotations

from collections.abc import Iterator
from random import SystemRandom

from handlers.core.shared.ports import Clock

TRIES = 10
"""Most attempts of a write that is conditional on what was read, before the request fails with 503."""
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.4
_random = SystemRandom()
"""Not the module's generator: SnapStart restores it equal in every environment, whose pauses would then be equal."""


def attempts(clock: Clock, tries: int = TRIES) -> Iterator[int]:
    """Yield 0, 1, 2 … with a random, growing pause between them, so that concurrent writers do not stay in step."""
    for attempt in range(tries):
        if attempt:
            longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
            clock.pause(_random.uniform(0, longest))
        yield attempt
