"""Metrics of calls: the ring funnel, time to answer, call duration, overdue and stuck calls.

Metric filters count the functions' log lines (`handlers/adapters/call_log.py`, `handlers/entry/call_sweep.py`), so that
no request waits for a metric.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_logs as logs
from constructs import Construct

from handlers import settings
from stacks.constructs.function import SettingsClass
from stacks.naming import PRODUCT, Names, pascal_case

_CALL_ROUTES: Final = (settings.CallsSettings,)
_CALL_ENDING: Final = (settings.CallsSettings, settings.ChimeEventsSettings, settings.CallSweepSettings)
_CALL_SWEEP: Final = (settings.CallSweepSettings,)
_RING_ENDING: Final = (settings.RingTimeoutSettings, settings.CallSweepSettings)


@dataclass(frozen=True, kw_only=True)
class CallMetric:
    """One metric that is counted from log lines.

    Args:
        name: the name of the metric.
        functions: the functions whose log lines are counted.
        condition: the lines that are counted, in CloudWatch's filter syntax for JSON.
        value: the value of a line: 1, or one of its fields.
        unit: the unit of the value.
        message: the `message` field of the lines.
    """

    name: str
    functions: Sequence[type[SettingsClass]]
    condition: str
    value: str = "1"
    unit: str = "Count"
    message: str = "call"

    @property
    def pattern(self) -> str:
        """Return the filter pattern (Amazon CloudWatch Logs: filter pattern syntax)."""
        return f'{{ $.message = "{self.message}" && {self.condition} }}'


INITIATED: Final = CallMetric(name="CallsInitiated", functions=_CALL_ROUTES, condition='$.outcome = "initiated"')
DELIVERED: Final = CallMetric(name="CallsDelivered", functions=_CALL_ROUTES, condition='$.outcome = "delivered"')
ACCEPTED: Final = CallMetric(name="CallsAccepted", functions=_CALL_ROUTES, condition='$.outcome = "accepted"')
REJECTED: Final = CallMetric(
    name="CallsRejected", functions=_CALL_ROUTES, condition='$.outcome = "rejected" && $.status = "REJECTED"'
)
CANCELLED: Final = CallMetric(name="CallsCancelled", functions=_CALL_ROUTES, condition='$.outcome = "cancelled"')
MISSED: Final = CallMetric(
    name="CallsMissed", functions=_RING_ENDING, condition='$.outcome = "missed" && $.status = "MISSED"'
)
FAILED: Final = CallMetric(name="CallsFailed", functions=_CALL_ROUTES, condition='$.outcome = "failed"')
TIME_TO_ANSWER: Final = CallMetric(
    name="TimeToAnswer",
    functions=_CALL_ROUTES,
    condition='$.outcome = "accepted" && $.ringMilliseconds >= 0',
    value="$.ringMilliseconds",
    unit="Milliseconds",
)
DURATION: Final = CallMetric(
    name="CallDuration",
    functions=_CALL_ENDING,
    condition="$.durationSeconds >= 0",
    value="$.durationSeconds",
    unit="Seconds",
)
OVERDUE: Final = CallMetric(
    name="CallsOverdue", functions=_CALL_SWEEP, condition="$.ended > 0", value="$.ended", message="calls swept"
)
"""Calls that only the sweep ended."""
STUCK: Final = CallMetric(
    name="CallsStuck", functions=_CALL_SWEEP, condition="$.left > 0", value="$.left", message="calls swept"
)
"""Calls that the sweep could not end."""
RING_FUNNEL: Final = (INITIATED, DELIVERED, ACCEPTED, REJECTED, CANCELLED, MISSED, FAILED)
"""The steps of ringing, from the request to its outcome."""
CALL_METRICS: Final = (*RING_FUNNEL, TIME_TO_ANSWER, DURATION, OVERDUE, STUCK)


def metric_namespace(names: Names) -> str:
    """Return the CloudWatch namespace of the metrics of one environment."""
    return f"{PRODUCT}/{names.environment}"


def add_metric_filters(scope: Construct, names: Names) -> None:
    """Count every metric from the log groups of its functions."""
    for metric in CALL_METRICS:
        for function in metric.functions:
            logs.CfnMetricFilter(
                scope,
                f"{metric.name}{pascal_case(function.function)}",
                log_group_name=names.function_log_group(function.function),
                filter_pattern=metric.pattern,
                metric_transformations=[
                    logs.CfnMetricFilter.MetricTransformationProperty(
                        metric_namespace=metric_namespace(names),
                        metric_name=metric.name,
                        metric_value=metric.value,
                        unit=metric.unit,
                    )
                ],
            )
