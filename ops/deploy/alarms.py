"""The alarms that make CloudFormation roll an update back while they watch it (RollbackConfiguration).

CloudFormation accepts at most five metric alarms and refuses or rolls back an operation if one does not exist or
already fires (AWS CloudFormation API: RollbackConfiguration).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ops.aws import explained_errors
from stacks.config.fields import Environment
from stacks.naming import Names

IDS: Final = ("ApiErrors", "EventsErrors", "DeliveryLate", "CallsFailed", "DeadLetters")
"""Ids of the alarms that a bad revision raises first, at most five (stacks/monitoring/alarms.py)."""
WATCHED: Final = ("Events", "Routes")
"""The stacks whose update can raise them. Operations has the alarms themselves, and must be able to remove one."""
WATCH_MINUTES: Final = 5
"""One period of an alarm: how long a protected environment is watched after each update."""


@dataclass(frozen=True)
class Triggers:
    """The alarms that watch one update.

    Args:
        arns: ARNs of the alarms.
        minutes: how long CloudFormation watches them after the update.
    """

    arns: tuple[str, ...] = ()
    minutes: int = 0

    @property
    def options(self) -> tuple[str, ...]:
        """Return the options of `cdk deploy`; without alarms, one that clears those of an earlier update."""
        flag = "--rollback-trigger-alarm-arns"
        if not self.arns:
            return (flag, "none")
        return (*(part for arn in self.arns for part in (flag, arn)), "--monitoring-time-minutes", str(self.minutes))


def find_triggers(environment: Environment, client: Any) -> tuple[Triggers, list[str]]:
    """Return the alarms that exist and do not fire, and the names of those that fire already.

    Args:
        environment: the environment to deploy.
        client: a botocore CloudWatch client.

    Raises:
        CommandError: AWS refused the request or did not respond.
    """
    names = [Names(environment.name).of(each) for each in IDS]
    with explained_errors():
        found = client.describe_alarms(AlarmNames=names, AlarmTypes=["MetricAlarm"])["MetricAlarms"]
    quiet = tuple(alarm["AlarmArn"] for alarm in found if alarm["StateValue"] != "ALARM")
    firing = sorted(alarm["AlarmName"] for alarm in found if alarm["StateValue"] == "ALARM")
    return Triggers(quiet, WATCH_MINUTES if environment.protected else 0), firing
