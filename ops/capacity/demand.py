"""What a profile of use asks of each service in its busiest second."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from contract import limits
from ops.costs.ledger import operations
from ops.costs.profiles import Profile
from ops.costs.usage import CHECK, SWEEPS, counted

BUSY_HOUR_SHARE: Final = 0.15
"""Share of a day's use in its busiest hour: campus traffic rises and falls with the lectures. An assumption."""
BURST: Final = 2.0
"""The busiest second against the mean of the busiest hour: many write when a lecture ends. An assumption."""
TOKEN_SECONDS: Final = 3_600
"""Lifetime of an access token (environments/prod.toml)."""
FUNCTION_SECONDS: Final = 0.04
"""Length of an invocation, as in the profiles."""
HOTTEST_MESSAGES: Final = 50.0
"""Messages a second to the busiest conversation: fifty members of a large group write at once. It depends on the group
and not on the number of users. An assumption, and the least that the design promises."""
COUNTER_WRITES: Final = 2
"""Writes to a group's counter for a message: the reservation, and its end."""
OUTBOX_INDEX_WRITES: Final = 2
"""Writes to the index ByDue for an event: into the list, and out of it."""
_MESSAGE_WRITES: Final = 2
"""Units in the table Messages for a message: the item, and its index."""


@dataclass(frozen=True)
class Demand:
    """The figures of the busiest second; the comment of each quota names the one that it bounds."""

    api_requests: float
    concurrent_executions: float
    concurrent_deliveries: float
    publishes: float
    deliveries: float
    connects: float
    message_table_writes: float
    hottest_counter_writes: float
    outbox_index_writes: float
    sign_ins: float
    token_renewals: float
    meetings_created: float
    concurrent_meetings: float

    @classmethod
    def names(cls) -> set[str]:
        """Return the names of the figures."""
        return {field.name for field in fields(cls)}


def peak(monthly: float, active_days: float) -> float:
    """Return how often something happens in the busiest second, from its number in a month."""
    return monthly / active_days * BUSY_HOUR_SHARE / 3_600 * BURST


def demand(profile: Profile) -> Demand:
    """Return what a profile asks for in its busiest second."""
    days = profile.each("active_days")
    counts = {title: peak(count, days) for title, count in counted(profile).items() if title != SWEEPS}
    connected = profile.users * profile.each("devices") * profile.each("online_share")
    counts[CHECK] = connected * 1_000 / limits.CHECK_INTERVAL_MS
    ledger = operations()

    def total(field: str) -> float:
        return sum(count * float(getattr(ledger[title], field)) for title, count in counts.items())

    messages = sum(count for title, count in counts.items() if title.startswith("message to"))
    large = sum(count for title, count in counts.items() if title.startswith("message to a group of 1,000"))
    invocations = total("invocations")
    publishes = total("publishes")
    calls = peak(profile.monthly("direct_calls"), days)
    return Demand(
        api_requests=total("requests"),
        concurrent_executions=invocations * FUNCTION_SECONDS,
        concurrent_deliveries=large * 1_000 / limits.PUBLISH_CONCURRENCY * 0.020,
        publishes=publishes,
        deliveries=publishes * profile.each("devices") * profile.each("online_share"),
        connects=peak(profile.monthly("connections_a_day") * profile.each("devices"), days),
        message_table_writes=messages * _MESSAGE_WRITES,
        hottest_counter_writes=HOTTEST_MESSAGES * COUNTER_WRITES,
        outbox_index_writes=messages * OUTBOX_INDEX_WRITES,
        sign_ins=peak(profile.users * days * 0.1, days),
        token_renewals=connected / TOKEN_SECONDS * BURST,
        meetings_created=calls,
        concurrent_meetings=calls / BURST * profile.each("call_minutes") * 60,
    )
