"""Log groups with the environment's retention; one that the writing service makes itself would be kept for ever."""

from __future__ import annotations

from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.config.fields import LOG_RETENTION_DAYS, Environment

_RETENTION: Final = dict(
    zip(LOG_RETENTION_DAYS, (kept for kept in logs.RetentionDays if kept.name != "INFINITE"), strict=True)
)


def log_group_of(scope: Construct, construct_id: str, name: str, environment: Environment) -> logs.LogGroup:
    """Return a new log group. Logs are no user data: they go with the stack, whatever the environment."""
    return logs.LogGroup(
        scope,
        construct_id,
        log_group_name=name,
        retention=_RETENTION[environment.operations.log_retention_days],
        removal_policy=RemovalPolicy.DESTROY,
    )
