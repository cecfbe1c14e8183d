"""How much of each service a profile uses in a month, from the ledger of operations and the templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from contract import limits
from ops.costs.environment import MINUTES_A_MONTH, POLL_SECONDS, POLLERS, EnvironmentCosts
from ops.costs.ledger import OperationCost, operations
from ops.costs.profiles import Profile

_OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "direct_messages": ("message to a direct conversation",),
    "messages_to_10": ("message to a group of 10",),
    "messages_to_50": ("message to a group of 50, read by all within seconds",),
    "messages_to_1000": ("message to a group of 1,000",),
    "direct_reads": ("read mark in a direct conversation",),
    "direct_typing": ("typing in a direct conversation",),
    "edits": ("edit in a direct conversation",),
    "history_pages": ("page of history, 50 messages",),
    "conversation_lists": ("list of conversations, 1 conversation",),
    "searches": ("search of users",),
    "profile_changes": ("change of a profile, 49 contacts",),
    "new_conversations": ("new direct conversation",),
    "direct_calls": (
        "direct call: initiate",
        "direct call: accept",
        "ring timer of an answered call",
        "direct call: end",
    ),
    "missed_calls": ("direct call: missed",),
}
"""The operations of the ledger that each assumption of a profile stands for."""
CHECK: Final = "check that nothing was missed"
SWEEPS: Final = "sweeps of one minute, nothing to do"
MESSAGES: Final = ("direct_messages", "messages_to_10", "messages_to_50", "messages_to_1000")
CANARY: Final = (
    "message to a direct conversation",
    "page of history, 50 messages",
    "page of history, 50 messages",
    "direct call: initiate",
    "direct call: cancel",
    "ring timer of an answered call",
)
"""The requests of one run of the canary. Its call is that of a group with two members, which costs about the same."""
CANARY_SECONDS: Final = 3
"""Duration of a run: 11 steps, of which each waits for a request or an event."""
_CANARY_USERS: Final = 2
_CANARY_SUBSCRIPTIONS: Final = 2
"""Subscriptions of the one connection of a run."""
_CHECKS_AN_HOUR: Final = 3_600_000 / limits.CHECK_INTERVAL_MS
_GIGABYTE: Final = 1_000_000_000


@dataclass(frozen=True)
class Usage:
    """Quantities of one month; the names are those of `prices.toml` and its free tiers where they have one.

    `appsync_operations_by_conversation` is what AppSync would charge for a channel of each conversation: one publish
    for each event instead of one for each recipient, and a subscription for each open conversation.
    """

    messages: float
    api_requests: float
    function_requests: float
    function_gigabyte_seconds: float
    read_units: float
    write_units: float
    table_gigabytes: float
    recovery_gigabytes: float
    backup_gigabytes: float
    publishes: float
    deliveries: float
    appsync_operations: float
    appsync_operations_by_conversation: float
    appsync_connection_minutes: float
    queue_requests: float
    attendee_minutes: float
    active_users: float
    alarm_metrics: float
    composite_alarms: float
    custom_metrics: float
    dashboards: float
    log_gigabytes: float
    log_gigabyte_months: float
    network_gigabytes: float


def counted(profile: Profile) -> dict[str, float]:
    """Return how often each operation of the ledger happens in a month."""
    counts: dict[str, float] = {}
    for assumption, titles in _OPERATIONS.items():
        for title in titles:
            counts[title] = counts.get(title, 0) + profile.monthly(assumption)
    counts[CHECK] = profile.monthly("connected_hours") * profile.each("devices") * _CHECKS_AN_HOUR
    counts[SWEEPS] = MINUTES_A_MONTH
    return counts


def canary_counts(runs: float) -> dict[str, float]:
    """Return how often the canary causes each operation of the ledger, from the number of its runs."""
    return {title: runs * CANARY.count(title) for title in CANARY}


def used(profile: Profile, environment: EnvironmentCosts) -> Usage:
    """Return what a profile uses in an environment in a month."""
    ledger, runs = operations(), environment.canary_runs_a_month
    users, canary = counted(profile), canary_counts(runs)
    counts = {title: users.get(title, 0) + canary.get(title, 0) for title in {**users, **canary}}

    def total(field: str) -> float:
        return sum(count * float(getattr(_cost(ledger, title), field)) for title, count in counts.items())

    requests = total("requests")
    invocations = total("invocations") + runs
    publishes = total("publishes")
    # The canary's recipient is connected, its sender is not: half of its publishes are delivered.
    canary_publishes = sum(count * _cost(ledger, title).publishes for title, count in canary.items())
    by_users = (publishes - canary_publishes) * profile.each("devices") * profile.each("online_share")
    deliveries = by_users + canary_publishes / 2
    connections = profile.monthly("connections_a_day") * profile.each("devices")
    polls = environment.polled_queues * POLLERS * MINUTES_A_MONTH * 60 / POLL_SECONDS
    messages = sum(profile.monthly(name) for name in MESSAGES)
    stored = messages * profile.each("message_bytes") * profile.each("stored_months") / _GIGABYTE
    logs = (requests + invocations) * profile.each("log_bytes") / _GIGABYTE
    sent = deliveries * profile.each("event_bytes") + requests * profile.each("response_bytes")
    return Usage(
        messages=messages,
        api_requests=requests,
        function_requests=invocations,
        function_gigabyte_seconds=environment.memory_gigabytes
        * ((invocations - runs) * profile.each("function_milliseconds") / 1000 + runs * CANARY_SECONDS),
        read_units=total("read_units"),
        write_units=total("write_units"),
        table_gigabytes=stored,
        recovery_gigabytes=stored if environment.recoverable else 0.0,
        backup_gigabytes=stored * environment.kept_backups,
        publishes=publishes,
        deliveries=deliveries,
        appsync_operations=_operations(publishes, deliveries, connections, profile.each("subscriptions"))
        + _operations(0, 0, runs, _CANARY_SUBSCRIPTIONS),
        appsync_operations_by_conversation=_operations(
            sum(count for title, count in counts.items() if _cost(ledger, title).publishes),
            deliveries,
            connections,
            profile.each("open_conversations"),
        ),
        appsync_connection_minutes=profile.monthly("connected_hours") * 60 * profile.each("devices"),
        queue_requests=total("queue_requests") + polls,
        attendee_minutes=profile.monthly("direct_calls") * profile.each("call_minutes") * 2,
        active_users=profile.users + (_CANARY_USERS if runs else 0),
        alarm_metrics=environment.alarm_metrics,
        composite_alarms=environment.composite_alarms,
        custom_metrics=environment.custom_metrics * profile.each("metric_hours") + environment.canary_metrics,
        dashboards=environment.dashboards,
        log_gigabytes=logs,
        log_gigabyte_months=logs * environment.log_months,
        network_gigabytes=sent / _GIGABYTE,
    )


def _cost(ledger: Mapping[str, OperationCost], title: str) -> OperationCost:
    if title not in ledger:
        raise KeyError(f"the ledger has no operation {title!r}: change ops/costs/usage.py with it")
    return ledger[title]


def _operations(publishes: float, deliveries: float, connections: float, subscriptions: float) -> float:
    """Return what AppSync charges: publishes, deliveries, connects, subscribes, and the handlers of both."""
    return 2 * publishes + deliveries + connections * (1 + 2 * subscriptions)
