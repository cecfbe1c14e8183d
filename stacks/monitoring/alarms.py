"""Alarms that tell people what to do: each description ends with its section of docs/operations.md."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.naming import Names

RUNBOOK: Final = "docs/operations.md"


@dataclass(frozen=True)
class Metric:
    """A CloudWatch metric: namespace, name, dimensions, and the statistic of a period."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str = "Sum"

    def stat(self, period_seconds: int) -> cloudwatch.CfnAlarm.MetricStatProperty:
        """Return the metric as an alarm's expression takes it."""
        return cloudwatch.CfnAlarm.MetricStatProperty(
            metric=cloudwatch.CfnAlarm.MetricProperty(
                namespace=self.namespace, metric_name=self.name, dimensions=self.dimension_list()
            ),
            stat=self.statistic,
            period=period_seconds,
        )

    def dimension_list(self) -> list[cloudwatch.CfnAlarm.DimensionProperty]:
        """Return the dimensions as an alarm takes them."""
        return [cloudwatch.CfnAlarm.DimensionProperty(name=key, value=value) for key, value in self.dimensions.items()]


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One alarm.

    Args:
        id: its name within the environment.
        metrics: one metric, or several that are added up.
        above: it goes off when the value is greater.
        of, minutes: it looks at `of` periods of `minutes` each, and goes off when `breaching` of them are too high.
        meaning: what has happened, in one sentence.
        runbook: heading of the section that says what to do.
    """

    id: str
    metrics: Sequence[Metric]
    above: float
    meaning: str
    runbook: str
    minutes: int = 5
    breaching: int = 1
    of: int = 1

    @property
    def description(self) -> str:
        """Return what people read in the notification."""
        anchor = re.sub(r"[^a-z0-9 -]", "", self.runbook.lower()).replace(" ", "-")
        return f"{self.meaning} What to do: {RUNBOOK}#{anchor}"


def add_alarm(scope: Construct, alarm: Alarm, names: Names, topic: sns.ITopic) -> None:
    """Add an alarm that tells the topic when it goes off and when it is over. Missing data is no alarm."""
    single = alarm.metrics[0] if len(alarm.metrics) == 1 else None
    period = alarm.minutes * 60
    percentile = single is not None and single.statistic.startswith("p")
    cloudwatch.CfnAlarm(
        scope,
        alarm.id,
        alarm_name=names.of(alarm.id),
        alarm_description=alarm.description,
        comparison_operator="GreaterThanThreshold",
        threshold=alarm.above,
        evaluation_periods=alarm.of,
        datapoints_to_alarm=alarm.breaching,
        treat_missing_data="notBreaching",
        alarm_actions=[topic.topic_arn],
        ok_actions=[topic.topic_arn],
        namespace=single.namespace if single else None,
        metric_name=single.name if single else None,
        dimensions=single.dimension_list() if single else None,
        period=period if single else None,
        statistic=single.statistic if single and not percentile else None,
        extended_statistic=single.statistic if single and percentile else None,
        metrics=None if single else _added_up(alarm.metrics, period),
    )


def _added_up(metrics: Sequence[Metric], period: int) -> list[cloudwatch.CfnAlarm.MetricDataQueryProperty]:
    parts = [
        cloudwatch.CfnAlarm.MetricDataQueryProperty(id=f"m{number}", metric_stat=metric.stat(period), return_data=False)
        for number, metric in enumerate(metrics)
    ]
    filled = ", ".join(f"FILL(m{number}, 0)" for number in range(len(metrics)))
    total = cloudwatch.CfnAlarm.MetricDataQueryProperty(id="total", expression=f"SUM([{filled}])", return_data=True)
    return [total, *parts]
