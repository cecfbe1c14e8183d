"""The ring funnel: how many calls came how far, how long they rang and how long they went on.

Counted from the functions' log lines (`handlers/adapters/call_log.py`, `handlers/entry/call_sweep.py`), so that no
request waits for a metric.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_logs as logs
from constructs import Construct

from handlers import settings
from stacks.constructs.function import SettingsClass
from stacks.monitoring.alarms import Metric
from stacks.naming import PRODUCT, Names, title

_ROUTES: Final = (settings.CallsSettings,)
_ENDING: Final = (settings.CallsSettings, settings.ChimeEventsSettings, settings.CallSweepSettings)
_SWEEP: Final = (settings.CallSweepSettings,)
_TIMING: Final = (settings.RingTimeoutSettings, settings.CallSweepSettings)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One metric of the funnel.

    Args:
        metric: its name.
        functions: whose lines are counted.
        condition: which lines, in CloudWatch's filter syntax for JSON.
        value: what a line counts: 1, or one of its fields.
        unit: of the value.
        message: which kind of line.
    """

    metric: str
    functions: Sequence[type[SettingsClass]]
    condition: str
    value: str = "1"
    unit: str = "Count"
    message: str = "call"

    @property
    def pattern(self) -> str:
        """Return the filter pattern (Amazon CloudWatch Logs: filter pattern syntax)."""
        return f'{{ $.message = "{self.message}" && {self.condition} }}'


INITIATED: Final = Step(metric="CallsInitiated", functions=_ROUTES, condition='$.outcome = "initiated"')
DELIVERED: Final = Step(metric="CallsDelivered", functions=_ROUTES, condition='$.outcome = "delivered"')
ACCEPTED: Final = Step(metric="CallsAccepted", functions=_ROUTES, condition='$.outcome = "accepted"')
REJECTED: Final = Step(
    metric="CallsRejected", functions=_ROUTES, condition='$.outcome = "rejected" && $.status = "REJECTED"'
)
CANCELLED: Final = Step(metric="CallsCancelled", functions=_ROUTES, condition='$.outcome = "cancelled"')
MISSED: Final = Step(metric="CallsMissed", functions=_TIMING, condition='$.outcome = "missed" && $.status = "MISSED"')
FAILED: Final = Step(metric="CallsFailed", functions=_ROUTES, condition='$.outcome = "failed"')
TIME_TO_ANSWER: Final = Step(
    metric="TimeToAnswer",
    functions=_ROUTES,
    condition='$.outcome = "accepted" && $.ringMilliseconds >= 0',
    value="$.ringMilliseconds",
    unit="Milliseconds",
)
DURATION: Final = Step(
    metric="CallDuration",
    functions=_ENDING,
    condition="$.durationSeconds >= 0",
    value="$.durationSeconds",
    unit="Seconds",
)
OVERDUE: Final = Step(
    metric="CallsOverdue",
    functions=_SWEEP,
    condition="$.ended > 0",
    value="$.ended",
    message="calls swept",
)
STUCK: Final = Step(
    metric="CallsStuck", functions=_SWEEP, condition="$.left > 0", value="$.left", message="calls swept"
)
FUNNEL: Final = (INITIATED, DELIVERED, ACCEPTED, REJECTED, CANCELLED, MISSED, FAILED)
"""In the order in which people think of it; OVERDUE is what only the sweep ended, STUCK what even it could not."""
STEPS: Final = (*FUNNEL, TIME_TO_ANSWER, DURATION, OVERDUE, STUCK)


def metric(names: Names, step: Step, statistic: str = "Sum") -> Metric:
    """Return the metric of a step, for alarms and the dashboard."""
    return Metric(_namespace(names), step.metric, {}, statistic)


def add_filters(scope: Construct, names: Names) -> None:
    """Count every step from the log groups of the functions that report it."""
    for step in STEPS:
        for function in step.functions:
            logs.CfnMetricFilter(
                scope,
                f"{step.metric}{title(function.function)}",
                log_group_name=names.function_log_group(function.function),
                filter_pattern=step.pattern,
                metric_transformations=[
                    logs.CfnMetricFilter.MetricTransformationProperty(
                        metric_namespace=_namespace(names),
                        metric_name=step.metric,
                        metric_value=step.value,
                        unit=step.unit,
                    )
                ],
            )


def _namespace(names: Names) -> str:
    return f"{PRODUCT}/{names.environment}"
