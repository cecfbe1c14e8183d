"""Changes of the bill that the templates show: alarms, metrics, dashboards, indexes, recovery, tiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ops.change_report.comparison import Comparison, ResourceChange
from ops.change_report.finding import Finding, Severity
from ops.change_report.rules.refused import POOL, TABLE
from ops.costs.environment import fixed_items
from ops.costs.prices import prices


def find(comparison: Comparison) -> Iterator[Finding]:
    """Return the changes of the bill."""
    price = prices()["monitoring"]
    yield from _monthly(comparison)
    for change in comparison.updated(TABLE):
        yield from _table(change)
    for change in comparison.updated("AWS::ApiGatewayV2::Stage"):
        if _detailed(change.new) and not _detailed(change.old):
            yield _finding(
                "detailed-metrics",
                change,
                "Detailed metrics of the HTTP API are switched on",
                f"Up to six metrics for each route, {_dollars(6 * price['custom_metric'])} a month each.",
                "DefaultRouteSettings",
            )
    for change in comparison.updated("AWS::Logs::LogGroup"):
        old, new = (side.get("RetentionInDays") for side in (change.old, change.new))
        if old is not None and (new is None or new > old):
            yield _finding(
                "log-retention",
                change,
                f"Log lines of {change.name} are kept for {f'{new} days' if new else 'ever'}, before {old} days",
                f"Each GB costs {_dollars(price['log_gigabyte_month'])} a month.",
                "RetentionInDays",
            )
    for change in comparison.updated(POOL):
        tier = change.new.get("UserPoolTier", "ESSENTIALS")
        if "UserPoolTier" in change.changed:
            yield _finding(
                "pool-tier",
                change,
                f"The tier of the user pool is {tier}, before {change.old.get('UserPoolTier', 'ESSENTIALS')}",
                "Each tier has another price per monthly active user.",
                "UserPoolTier",
            )


def _finding(rule: str, change: ResourceChange, what: str, why: str, *properties: str) -> Finding:
    return Finding(
        f"costs.{rule}",
        Severity.COSTS_DIFFERENTLY,
        what,
        why,
        "Compare with the budget of the environment.",
        change.stack,
        change.logical_id,
        properties,
    )


def _dollars(amount: float) -> str:
    return f"{amount:,.2f} $"


def _monthly(comparison: Comparison) -> Iterator[Finding]:
    price = prices()["monitoring"]
    names = {
        "alarm_metric": "metrics in alarms",
        "composite_alarm": "composite alarms",
        "custom_metric": "custom metrics",
        "dashboard": "dashboards",
    }
    for stack in sorted(comparison.before.templates.keys() | comparison.after.templates.keys()):
        old, new = (fixed_items(side.templates.get(stack, {})) for side in (comparison.before, comparison.after))
        lines = [
            f"{names[key]}: {old[key]} → {new[key]}, {_dollars((new[key] - old[key]) * price[key])} a month"
            for key in names
            if old[key] != new[key]
        ]
        if not lines:
            continue
        change = sum((new[key] - old[key]) * price[key] for key in names)
        yield Finding(
            "costs.fixed",
            Severity.COSTS_DIFFERENTLY,
            f"{stack} costs {_dollars(abs(change))} a month {'more' if change >= 0 else 'less'} before any use",
            f"Without the free tier; prices of {prices()['date']}.",
            "Compare with the budget of the environment.",
            stack,
            details=tuple(lines),
        )


def _detailed(properties: Mapping[str, Any]) -> bool:
    return bool(properties.get("DefaultRouteSettings", {}).get("DetailedMetricsEnabled"))


def _table(change: ResourceChange) -> Iterator[Finding]:
    price = prices()["tables"]
    old, new = (
        {index["IndexName"] for index in side.get("GlobalSecondaryIndexes", [])} for side in (change.old, change.new)
    )
    if added := sorted(new - old):
        yield _finding(
            "index",
            change,
            f"{change.name} has the new index {', '.join(added)}",
            f"Every write of an item with its keys costs one more unit ({1_000_000 * price['write_unit']:g} $ a "
            "million), and the first build writes every present item.",
            "GlobalSecondaryIndexes",
            "AttributeDefinitions",
        )
    recovery = "PointInTimeRecoverySpecification"
    was_on, is_on = (side.get(recovery, {}).get("PointInTimeRecoveryEnabled") for side in (change.old, change.new))
    if is_on and not was_on:
        yield _finding(
            "recovery",
            change,
            f"Point-in-time recovery of {change.name} is switched on",
            f"It costs {_dollars(prices()['tables']['recovery_gigabyte_month'])} a month per GB.",
            recovery,
        )
    if "BillingMode" in change.changed or "ProvisionedThroughput" in change.changed:
        yield _finding(
            "billing",
            change,
            f"{change.name} is billed as {change.new.get('BillingMode', 'PROVISIONED')}",
            "Provisioned capacity costs without use, and refuses requests above it.",
            "BillingMode",
            "ProvisionedThroughput",
        )
