"""What an environment costs by its templates alone: alarms, metrics, dashboards, polling, schedules, memory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from contract.canary import BAD_RUN_METRIC, DELIVERY_METRIC
from stacks.config.fields import BACKUP_SCHEDULES

Template = Mapping[str, Any]

MINUTES_A_MONTH: Final = 30 * 24 * 60
POLLERS: Final = 5
"""Pollers that Lambda runs for each SQS event source (AWS Lambda: scaling of SQS event sources)."""
POLL_SECONDS: Final = 20
"""Seconds of a long poll of an empty queue."""
_FOREVER_MONTHS: Final = 12
_CANARY: Final = "Canary"
"""How the logical ids of the canary's resources begin."""
CANARY_METRICS: Final = len((BAD_RUN_METRIC, DELIVERY_METRIC))
"""Metrics of the canary's log line."""


@dataclass(frozen=True)
class EnvironmentCosts:
    """What the templates of an environment say.

    Args:
        alarm_metrics: metrics in alarms; an expression over n metrics counts n.
        composite_alarms: alarms on the states of other alarms.
        custom_metrics: metrics that metric filters write.
        canary_metrics: metrics of the canary's log line; they have values in every hour.
        canary_runs_a_month: runs of the canary; 0 without a schedule.
        dashboards: dashboards.
        polled_queues: queues that Lambda polls.
        runs_a_minute: runs of scheduled functions in a minute, without the canary.
        memory_gigabytes: memory of the functions, the median.
        log_months: months that log lines are kept, the median.
        recoverable: whether the tables have point-in-time recovery.
        kept_backups: full backups of the tables that AWS Backup keeps, those of the second vault too.
    """

    alarm_metrics: int
    composite_alarms: int
    custom_metrics: int
    canary_metrics: int
    canary_runs_a_month: float
    dashboards: int
    polled_queues: int
    runs_a_minute: float
    memory_gigabytes: float
    log_months: float
    recoverable: bool
    kept_backups: float = 0.0


def fixed_items(template: Template) -> dict[str, int]:
    """Return the metrics in alarms, the composite alarms, the custom metrics and the dashboards of a template."""
    alarms = _properties(template, "AWS::CloudWatch::Alarm")
    metrics = {
        (str(each.get("MetricNamespace")), str(each.get("MetricName")))
        for filters in _properties(template, "AWS::Logs::MetricFilter")
        for each in filters.get("MetricTransformations", [])
    }
    return {
        "alarm_metric": sum(len([q for q in each.get("Metrics", []) if "MetricStat" in q]) or 1 for each in alarms),
        "composite_alarm": len(list(_properties(template, "AWS::CloudWatch::CompositeAlarm"))),
        "custom_metric": len(metrics),
        "dashboard": len(list(_properties(template, "AWS::CloudWatch::Dashboard"))),
    }


def read(templates: Mapping[str, Template]) -> EnvironmentCosts:
    """Read the templates of an environment.

    Args:
        templates: the templates by the name of their stack.
    """
    whole = {
        "Resources": {
            f"{stack}/{name}": each for stack, t in templates.items() for name, each in t["Resources"].items()
        }
    }
    fixed = fixed_items(whole)
    sources = [each for each in _properties(whole, "AWS::Lambda::EventSourceMapping") if "BatchSize" in each]
    polled = [each for each in sources if "StartingPosition" not in each]
    rules = {
        name.split("/")[-1]: str(each["Properties"].get("ScheduleExpression", ""))
        for name, each in whole["Resources"].items()
        if each["Type"] == "AWS::Events::Rule"
    }
    canary = [rule for name, rule in rules.items() if name.startswith(_CANARY) and rule]
    others = [rule for name, rule in rules.items() if not name.startswith(_CANARY) and rule]
    memory = sorted(each.get("MemorySize", 128) for each in _properties(whole, "AWS::Lambda::Function"))
    days = sorted(each.get("RetentionInDays", 0) for each in _properties(whole, "AWS::Logs::LogGroup"))
    tables = list(_properties(whole, "AWS::DynamoDB::Table"))
    return EnvironmentCosts(
        fixed["alarm_metric"],
        fixed["composite_alarm"],
        fixed["custom_metric"],
        CANARY_METRICS if canary else 0,
        MINUTES_A_MONTH * sum(_runs_a_minute(rule) for rule in canary),
        fixed["dashboard"],
        len(polled),
        sum(_runs_a_minute(rule) for rule in others),
        memory[len(memory) // 2] / 1024 if memory else 0.0,
        (days[len(days) // 2] / 30 if days and days[len(days) // 2] else _FOREVER_MONTHS),
        any(each.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled") for each in tables),
        sum(_kept_backups(each) for each in _properties(whole, "AWS::Backup::BackupPlan")),
    )


def _kept_backups(plan: Mapping[str, Any]) -> float:
    days = dict(BACKUP_SCHEDULES.values())
    return sum(
        float(each["Lifecycle"]["DeleteAfterDays"]) / days[rule["ScheduleExpression"]]
        for rule in plan["BackupPlan"]["BackupPlanRule"]
        for each in (rule, *rule.get("CopyActions", ()))
    )


def _properties(template: Template, kind: str) -> Iterator[Mapping[str, Any]]:
    return (each.get("Properties", {}) for each in template.get("Resources", {}).values() if each["Type"] == kind)


def _runs_a_minute(expression: str) -> float:
    minutes = {"minute": 1, "hour": 60, "day": 24 * 60}
    match = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    if match is None:
        raise ValueError(f"the cost model reads schedules of the form rate(n minutes), not {expression}")
    return 1 / (int(match[1]) * minutes[match[2]])
