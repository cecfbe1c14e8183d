"""The bill of a month: what is used times its price, less what is free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from ops.costs.prices import FreeTier, free_quantities, prices
from ops.costs.usage import Usage

_LINES: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("AppSync Events", "appsync_operations", "appsync", "operation"),
    ("AppSync Events", "appsync_connection_minutes", "appsync", "connection_minute"),
    ("API Gateway", "api_requests", "api", "request"),
    ("Lambda", "function_requests", "functions", "request"),
    ("Lambda", "function_gigabyte_seconds", "functions", "gigabyte_second"),
    ("DynamoDB", "write_units", "tables", "write_unit"),
    ("DynamoDB", "read_units", "tables", "read_unit"),
    ("DynamoDB", "table_gigabytes", "tables", "gigabyte_month"),
    ("DynamoDB", "recovery_gigabytes", "tables", "recovery_gigabyte_month"),
    ("AWS Backup", "backup_gigabytes", "backups", "gigabyte_month"),
    ("SQS", "queue_requests", "queues", "request"),
    ("Chime SDK", "attendee_minutes", "calls", "attendee_minute"),
    ("Cognito", "active_users", "accounts", "active_user"),
    ("CloudWatch", "alarm_metrics", "monitoring", "alarm_metric"),
    ("CloudWatch", "composite_alarms", "monitoring", "composite_alarm"),
    ("CloudWatch", "custom_metrics", "monitoring", "custom_metric"),
    ("CloudWatch", "dashboards", "monitoring", "dashboard"),
    ("CloudWatch", "log_gigabytes", "monitoring", "log_gigabyte"),
    ("CloudWatch", "log_gigabyte_months", "monitoring", "log_gigabyte_month"),
    ("Data transfer", "network_gigabytes", "network", "gigabyte_out"),
)
"""Service, quantity of the usage, and the price's table and key."""


@dataclass(frozen=True)
class Line:
    """One line of the bill.

    Args:
        service: the service.
        quantity: name of the quantity.
        used: what is used.
        free: how much of it is free.
        price: dollars for one.
    """

    service: str
    quantity: str
    used: float
    free: float
    price: float

    @property
    def dollars(self) -> float:
        """Return what it costs."""
        return max(0.0, self.used - self.free) * self.price


@dataclass(frozen=True)
class Estimate:
    """The bill of one month.

    Args:
        lines: its lines.
        usage: the quantities.
    """

    lines: tuple[Line, ...]
    usage: Usage

    @property
    def total(self) -> float:
        """Return the sum in dollars."""
        return sum(line.dollars for line in self.lines)

    @property
    def without_calls(self) -> float:
        """Return the sum without the minutes of calls, in dollars."""
        return sum(line.dollars for line in self.lines if line.service != "Chime SDK")

    @property
    def by_service(self) -> Mapping[str, float]:
        """Return the dollars of each service, the dearest first."""
        sums: dict[str, float] = {}
        for line in self.lines:
            sums[line.service] = sums.get(line.service, 0.0) + line.dollars
        return dict(sorted(sums.items(), key=lambda item: -item[1]))


def estimate(usage: Usage, tier: FreeTier) -> Estimate:
    """Return the bill of a month.

    Args:
        usage: what is used.
        tier: what is free in the account. Cognito's first users are free in every account.
    """
    quantities, free = asdict(usage), free_quantities(tier)
    free = {**free, "active_users": prices()["accounts"]["free_users"]}
    return Estimate(
        tuple(
            Line(service, quantity, quantities[quantity], free.get(quantity, 0.0), prices()[table][key])
            for service, quantity, table, key in _LINES
        ),
        usage,
    )
