"""What a load run does, and the bounds that keep it harmless."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from contract.limits import SEND_RATE
from ops.errors import CommandError

USERS_MAX_AWS: Final = 500
MESSAGES_A_SECOND_MAX_AWS: Final = 500
SECONDS_MAX_AWS: Final = 600
_DIRECT: Final = 2


@dataclass(frozen=True)
class Plan:
    """One load run.

    Args:
        users: signed-in users, each with a WebSocket.
        rate: messages that each user sends in a second.
        seconds: how long they send.
        group: members of each conversation; 2 makes direct conversations.
        seed: of the times at which the users send.
        poisson: whether each user sends at random times (a Poisson process) instead of at equal intervals.
    """

    users: int = 20
    rate: float = 1.0
    seconds: int = 30
    group: int = _DIRECT
    seed: int = 1
    poisson: bool = False

    @property
    def offered(self) -> float:
        """Return the messages a second of all users."""
        return self.users * self.rate

    @property
    def direct(self) -> bool:
        """Return whether the conversations are direct ones."""
        return self.group == _DIRECT

    @property
    def receivers(self) -> int:
        """Return how many users receive each message."""
        return self.group - 1

    def conversations(self) -> Iterator[range]:
        """Return the numbers of the users of each conversation; every user is in exactly one."""
        return (range(first, first + self.group) for first in range(0, self.users, self.group))

    def times(self, user: int) -> list[float]:
        """Return when a user should send, in seconds after the start of the run, in order.

        The times do not depend on any response: a slow environment gets the same load (an open loop).
        """
        chance = random.Random(f"{self.seed}-{user}")  # noqa: S311 - a schedule is no secret
        if not self.poisson:
            first = chance.uniform(0, 1 / self.rate)
            return [first + number / self.rate for number in range(int((self.seconds - first) * self.rate) + 1)]
        times, now = [], chance.expovariate(self.rate)
        while now < self.seconds:
            times.append(now)
            now += chance.expovariate(self.rate)
        return times


def check(plan: Plan) -> None:
    """Check a plan.

    Raises:
        CommandError: it cannot be run.
    """
    if plan.group < _DIRECT:
        raise CommandError("--group: a conversation has at least 2 members")
    if plan.users < plan.group or plan.users % plan.group:
        raise CommandError(f"--users: {plan.users} users cannot be divided into conversations of {plan.group}")
    if plan.rate <= 0:
        raise CommandError("--rate: each user has to send more than 0 messages a second")
    most = SEND_RATE.count / SEND_RATE.seconds
    if plan.rate > most:
        raise CommandError(f"--rate: the API accepts {most:g} messages a second from a user; take more users")
    if plan.seconds < 1:
        raise CommandError("--seconds: at least 1")


def check_bounds_of_aws(plan: Plan, *, protected: bool) -> None:
    """Check that a plan may be run against AWS.

    Raises:
        CommandError: the environment serves users, or the plan is above a bound.
    """
    if protected:
        raise CommandError("A protected environment serves users and gets no load. Use an environment without them.")
    for name, value, most in (
        ("--users", plan.users, USERS_MAX_AWS),
        ("messages a second, --users x --rate", plan.offered, MESSAGES_A_SECOND_MAX_AWS),
        ("--seconds", plan.seconds, SECONDS_MAX_AWS),
    ):
        if value > most:
            raise CommandError(f"{name}: {value:g} is above {most}, the most for a run against AWS")
