"""Requires that a user is within a rate limit, per user or per pair of users."""

from __future__ import annotations

import msgspec

from contract import limits
from contract.limits import RateLimit
from handlers.core.shared.errors import TooManyRequestsError
from handlers.core.shared.ports import Clock, RateCounter


class UserRates(msgspec.Struct, frozen=True):
    """Counts uses. A use counts when it is requested, also where the request is refused then."""

    counter: RateCounter
    clock: Clock

    def require(self, user_id: str, rate: RateLimit, target: str = "", uses: int = 1) -> None:
        """Count one use of a user.

        Args:
            user_id: the user.
            rate: the rate limit.
            target: the user or conversation that the use concerns, for limits per target.
            uses: how often it counts.

        Raises:
            TooManyRequestsError: the limit of the present window is used up.
        """
        now = self.clock.now()
        if not self.counter.count(_key(user_id, target), rate, now, uses):
            raise TooManyRequestsError(
                f"too many requests of this kind: at most {rate.count} in {rate.seconds} seconds",
                retry_after=rate.retry_after(now / 1000),
            )

    def charge(self, user_id: str, rate: RateLimit, uses: int) -> None:
        """Count uses of a user that have already happened; the following requests may then be refused."""
        self.counter.add(user_id, rate, self.clock.now(), uses)

    def allows(self, user_id: str, rate: RateLimit, target: str) -> bool:
        """Count one use of a user for a target; return False where the limit of the present window is used up."""
        return self.counter.count(_key(user_id, target), rate, self.clock.now())


def uses(recipients: int) -> int:
    """Return how often a request counts against its rate limit.

    Args:
        recipients: users to whom its event is published.
    """
    return 1 + recipients // limits.RECIPIENTS_PER_USE


def _key(user_id: str, target: str) -> str:
    return f"{user_id}#{target}" if target else user_id
