"""Waits between attempts: exponential backoff with full jitter."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Backoff:
    """Exponentially growing waits with full jitter, so that many clients do not reconnect at the same time.

    Args:
        base: upper bound of the first wait, in seconds.
        cap: upper bound of every wait, in seconds.
        rng: source of randomness; tests pass a seeded one.
    """

    base: float = 0.2
    cap: float = 5.0
    rng: random.Random = field(default_factory=random.SystemRandom, repr=False)

    def delay(self, attempt: int) -> float:
        """Return the seconds to wait after failed attempt number `attempt` (from 0).

        Source: Exponential Backoff And Jitter, AWS Architecture Blog ("full jitter").
        """
        ceiling = min(self.cap, self.base * 2.0 ** min(attempt, 32))
        return self.rng.uniform(0.0, ceiling)
