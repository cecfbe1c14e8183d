"""Log groups with the environment's retention. A log group that the writing service creates itself never expires."""

from __future__ import annotations

from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.config.fields import AUDIT_RETENTION_DAYS, LOG_RETENTION_DAYS, Environment

_RETENTION: Final = dict(
    zip(LOG_RETENTION_DAYS, (value for value in logs.RetentionDays if value.name != "INFINITE"), strict=True)
)


def create_log_group(scope: Construct, construct_id: str, name: str, environment: Environment) -> logs.LogGroup:
    """Create a log group. Logs are not user data: they are deleted with the stack in every environment."""
    return logs.LogGroup(
        scope,
        construct_id,
        log_group_name=name,
        retention=_RETENTION[environment.operations.log_retention_days],
        removal_policy=RemovalPolicy.DESTROY,
    )


def create_audit_log(scope: Construct, construct_id: str, name: str, removal_policy: RemovalPolicy) -> logs.LogGroup:
    """Create the log group of the actions of operators, with a retention of its own.

    Args:
        removal_policy: as of the environment's data: what operators did outlives a deleted stack where data does.
    """
    return logs.LogGroup(
        scope,
        construct_id,
        log_group_name=name,
        retention=_RETENTION[AUDIT_RETENTION_DAYS],
        removal_policy=removal_policy,
    )
