"""The alarms of the canary and of the service level objective that it measures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from contract import canary
from handlers.settings import CanarySettings
from stacks.monitoring.alarm_definition import AlarmDefinition, add_alarm, alarm_text, keep_logical_id, notify
from stacks.monitoring.metrics import Metrics
from stacks.naming import Names

_RUNS_IN_A_PERIOD: Final = 3
"""Runs that a percentile, or the share of bad runs at this moment, is taken from."""
_BUDGET: Final = 1 - canary.OBJECTIVE_PERCENT / 100
"""Share of the runs that may be bad."""
_FAST_BURN: Final = 14.4
"""Times the allowed rate at which a fiftieth of the budget of four weeks is used up in an hour."""
_SLOW_BURN: Final = 6.0
"""Times the allowed rate at which a twentieth of the budget of four weeks is used up in six hours."""
_SLO: Final = "SloAtRisk"


def canary_alarms(metrics: Metrics, minutes: int) -> Iterator[AlarmDefinition]:
    """Yield the alarms of single runs.

    Args:
        minutes: minutes between two runs.
    """
    yield AlarmDefinition(
        id="CanaryFails",
        metrics=[metrics.function(CanarySettings.function, "Errors", period=_period(minutes, 1))],
        above=0,
        breaching=2,
        of=3,
        silence_breaches=True,
        impact="Users probably cannot sign in, send, receive or call.",
        cause="Two of the last three runs of the canary failed, or did not take place.",
        runbook="The canary fails",
    )
    yield AlarmDefinition(
        id="CanarySlow",
        metrics=[metrics.canary(canary.DELIVERY_METRIC, "p95", _period(minutes, _RUNS_IN_A_PERIOD))],
        above=canary.DELIVERY_TARGET_MS,
        breaching=3,
        of=4,
        impact="Messages arrive late: users wait noticeably for each one.",
        cause=f"The p95 of the canary's delivery time, from send to receipt, is above {canary.DELIVERY_TARGET_MS} ms.",
        runbook="Messages arrive slowly",
    )


def objective_parts(metrics: Metrics, minutes: int) -> Iterator[AlarmDefinition]:
    """Yield the parts of the alarm on the objective: two speeds of the loss, and whether it goes on."""
    windows = (
        ("SloFastBurn", Duration.hours(1), _FAST_BURN * _BUDGET, "hour"),
        ("SloSlowBurn", Duration.hours(6), _SLOW_BURN * _BUDGET, "six hours"),
        ("SloBurnsNow", _period(minutes, _RUNS_IN_A_PERIOD), 0.0, f"{_RUNS_IN_A_PERIOD} runs"),
    )
    for alarm_id, period, share, window in windows:
        yield AlarmDefinition(
            id=alarm_id,
            metrics=[metrics.canary(canary.BAD_RUN_METRIC, "Average", period)],
            above=round(share, 4),
            notifies=False,
            impact=f"A part of the alarm {_SLO}, which notifies in its place.",
            cause=f"More than {share:.1%} of the canary's runs of the last {window} were bad.",
            runbook="The service level objective is at risk",
        )


def add_objective_alarm(scope: Construct, metrics: Metrics, minutes: int, names: Names, topic: sns.ITopic) -> None:
    """Create the alarm on the objective: it fires while bad runs go on that would use up the budget too early."""
    fast, slow, now = (add_alarm(scope, part, names, topic) for part in objective_parts(metrics, minutes))
    rule = cloudwatch.AlarmRule
    state = cloudwatch.AlarmState.ALARM
    alarm = cloudwatch.CompositeAlarm(
        scope,
        _SLO,
        composite_alarm_name=names.of(_SLO),
        alarm_description=alarm_text(
            f"Users are served worse than promised: {canary.OBJECTIVE_PERCENT:g} of 100 runs of the canary in "
            f"{canary.OBJECTIVE_DAYS} days.",
            "Bad runs use up the budget of the objective many times too fast, and go on.",
            "The service level objective is at risk",
        ),
        alarm_rule=rule.all_of(
            rule.from_alarm(now, state), rule.any_of(rule.from_alarm(fast, state), rule.from_alarm(slow, state))
        ),
    )
    notify(alarm, topic)
    keep_logical_id(alarm, _SLO)


def _period(minutes: int, runs: int) -> Duration:
    """Return the length of a period with a number of runs; five minutes at least, as for every other metric."""
    return Duration.minutes(max(5, minutes * runs))
