"""Metrics that are counted from log lines: the ring funnel, call duration, stuck calls, given-up events and others.

Metric filters count the functions' log lines (`handlers/adapters/call_log.py`, `handlers/entry/call_sweep.py`,
`handlers/entry/sweep.py`, `handlers/entry/profile.py`), so that no request waits for a metric.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_logs as logs
from constructs import Construct

from handlers import settings
from stacks.constructs.function import SettingsClass
from stacks.naming import PRODUCT, Names, pascal_case

_CALL: Final = "call"
"""Message of the lines about transitions of calls; those of the canary's calls have the field `canary`."""
_CALL_ROUTES: Final = (settings.CallsSettings,)
_CALL_ENDING: Final = (settings.CallsSettings, settings.ChimeEventsSettings, settings.CallSweepSettings)
_CALL_SWEEP: Final = (settings.CallSweepSettings,)
_RING_ENDING: Final = (settings.RingTimeoutSettings, settings.CallSweepSettings)


@dataclass(frozen=True, kw_only=True)
class LogMetric:
    """One metric that is counted from log lines.

    Args:
        name: the name of the metric.
        functions: the functions whose log lines are counted.
        condition: the lines that are counted, in CloudWatch's filter syntax for JSON.
        value: the value of a line: 1, or one of its fields.
        unit: the unit of the value.
        message: the `message` field of the lines; None counts lines with any message. Lines about calls of the canary
            are not counted.
    """

    name: str
    functions: Sequence[type[SettingsClass]]
    condition: str
    value: str = "1"
    unit: str = "Count"
    message: str | None = _CALL

    @property
    def pattern(self) -> str:
        """Return the filter pattern (Amazon CloudWatch Logs: filter pattern syntax)."""
        message = "" if self.message is None else f'$.message = "{self.message}" && '
        users_only = " && $.canary NOT EXISTS" if self.message == _CALL else ""
        return f"{{ {message}{self.condition}{users_only} }}"


INITIATED: Final = LogMetric(name="CallsInitiated", functions=_CALL_ROUTES, condition='$.outcome = "initiated"')
DELIVERED: Final = LogMetric(name="CallsDelivered", functions=_CALL_ROUTES, condition='$.outcome = "delivered"')
ACCEPTED: Final = LogMetric(name="CallsAccepted", functions=_CALL_ROUTES, condition='$.outcome = "accepted"')
REJECTED: Final = LogMetric(
    name="CallsRejected", functions=_CALL_ROUTES, condition='$.outcome = "rejected" && $.status = "REJECTED"'
)
CANCELLED: Final = LogMetric(name="CallsCancelled", functions=_CALL_ROUTES, condition='$.outcome = "cancelled"')
MISSED: Final = LogMetric(
    name="CallsMissed", functions=_RING_ENDING, condition='$.outcome = "missed" && $.status = "MISSED"'
)
FAILED: Final = LogMetric(name="CallsFailed", functions=_CALL_ROUTES, condition='$.outcome = "failed"')
TIME_TO_ANSWER: Final = LogMetric(
    name="TimeToAnswer",
    functions=_CALL_ROUTES,
    condition='$.outcome = "accepted" && $.ringMilliseconds >= 0',
    value="$.ringMilliseconds",
    unit="Milliseconds",
)
DURATION: Final = LogMetric(
    name="CallDuration",
    functions=_CALL_ENDING,
    condition="$.durationSeconds >= 0",
    value="$.durationSeconds",
    unit="Seconds",
)
OVERDUE: Final = LogMetric(
    name="CallsOverdue", functions=_CALL_SWEEP, condition="$.ended > 0", value="$.ended", message="calls swept"
)
"""Calls that only the sweep ended."""
STUCK: Final = LogMetric(
    name="CallsStuck", functions=_CALL_SWEEP, condition="$.left > 0", value="$.left", message="calls swept"
)
"""Calls that the sweep could not end."""
RING_FUNNEL: Final = (INITIATED, DELIVERED, ACCEPTED, REJECTED, CANCELLED, MISSED, FAILED)
"""The steps of ringing, from the request to its outcome."""
GIVEN_UP: Final = LogMetric(
    name="EventsGivenUp",
    functions=(settings.SweepSettings,),
    condition="$.givenUp > 0",
    value="$.givenUp",
    message=None,
)
"""Events that the sweep gave up after the last attempt."""
MISSING_PROFILES: Final = LogMetric(
    name="ProfilesMissing", functions=(settings.ProfileSettings,), condition='$.level = "ERROR"', message=None
)
"""Errors of the trigger `profile`, which catches them: a failed trigger would lock a confirmed user out."""
LOG_METRICS: Final = (*RING_FUNNEL, TIME_TO_ANSWER, DURATION, OVERDUE, STUCK, GIVEN_UP, MISSING_PROFILES)


def metric_namespace(names: Names) -> str:
    """Return the CloudWatch namespace of the metrics of one environment."""
    return f"{PRODUCT}/{names.environment}"


def add_metric_filters(scope: Construct, names: Names, *, functions: Container[str]) -> None:
    """Count every metric from the log groups of those of its functions that the environment has."""
    for metric in LOG_METRICS:
        for function in (each for each in metric.functions if each.function in functions):
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
