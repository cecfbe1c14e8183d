"""The definition of an alarm, and the CloudWatch alarm that is created from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import CfnResource
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.monitoring.metrics import PERIOD
from stacks.naming import Names

RUNBOOK: Final = "docs/how-to/answer-an-alarm.md"
METRICS_PER_ALARM_MAX: Final = 10
"""CloudWatch service quotas: metrics per alarm that uses metric math; the quota cannot be raised."""


@dataclass(frozen=True, kw_only=True)
class AlarmDefinition:
    """One alarm: it fires when `breaching` of the last `of` periods of its metrics are above the threshold.

    Args:
        id: its name within the environment, and its logical id.
        metrics: one metric, or several whose values are added.
        above: the threshold; a greater value breaches it.
        breaching: how many periods must breach the threshold.
        of: how many periods are evaluated.
        silence_breaches: whether a period without data breaches, since the metric is written all the time.
        notifies: False for a part of a composite alarm, which notifies in its place.
        impact: what users notice.
        cause: what was measured.
        runbook: heading of the section of docs/how-to/answer-an-alarm.md that says what to do.
    """

    id: str
    metrics: Sequence[cloudwatch.Metric]
    above: float
    impact: str
    cause: str
    runbook: str
    breaching: int = 1
    of: int = 1
    silence_breaches: bool = False
    notifies: bool = True

    @property
    def description(self) -> str:
        """Return the text of the notification."""
        return alarm_text(self.impact, self.cause, self.runbook)


def alarm_text(impact: str, cause: str, runbook: str) -> str:
    """Return the text of a notification: what users notice, what was measured, and where it says what to do."""
    anchor = re.sub(r"[^a-z0-9 -]", "", runbook.lower()).replace(" ", "-")
    return f"{impact} Cause: {cause} What to do: {RUNBOOK}#{anchor}"


def add_alarm(scope: Construct, definition: AlarmDefinition, names: Names, topic: sns.ITopic) -> cloudwatch.Alarm:
    """Create an alarm that notifies the topic when it fires and when it recovers.

    A percentile is evaluated whatever the number of its values: with the other choice, CloudWatch leaves out periods
    with fewer than 200 values for p95, and the alarm could not fire without much traffic (Amazon CloudWatch:
    percentile-based alarms and low data samples).
    """
    silence = cloudwatch.TreatMissingData
    alarm = cloudwatch.Alarm(
        scope,
        definition.id,
        alarm_name=names.of(definition.id),
        alarm_description=definition.description,
        metric=_value(definition.metrics),
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        threshold=definition.above,
        evaluation_periods=definition.of,
        datapoints_to_alarm=definition.breaching,
        treat_missing_data=silence.BREACHING if definition.silence_breaches else silence.NOT_BREACHING,
    )
    if definition.notifies:
        notify(alarm, topic)
    keep_logical_id(alarm, definition.id)
    return alarm


def notify(alarm: cloudwatch.AlarmBase, topic: sns.ITopic) -> None:
    """Notify the topic when an alarm fires and when it recovers."""
    alarm.add_alarm_action(actions.SnsAction(topic))
    alarm.add_ok_action(actions.SnsAction(topic))


def keep_logical_id(construct: Construct, logical_id: str) -> None:
    """Give a construct's resource a logical id without hash, so that deployed resources are updated, not replaced."""
    resource = construct.node.default_child
    if not isinstance(resource, CfnResource):
        raise TypeError(f"{construct.node.path} has no CloudFormation resource of its own")
    resource.override_logical_id(logical_id)


def _value(metrics: Sequence[cloudwatch.Metric]) -> cloudwatch.IMetric:
    if len(metrics) == 1:
        return metrics[0]
    # A sum without FILL has no value in a period in which one of the metrics has none.
    filled = ", ".join(f"FILL(m{number}, 0)" for number in range(len(metrics)))
    return cloudwatch.MathExpression(
        expression=f"SUM([{filled}])",
        using_metrics={f"m{number}": metric for number, metric in enumerate(metrics)},
        period=PERIOD,
    )
