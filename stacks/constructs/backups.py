"""Backups of the tables by AWS Backup: a vault, a plan, and the role that AWS Backup uses."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_backup as backup
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from contract import tables
from stacks.config.fields import BACKUP_SCHEDULES, Backup, Environment
from stacks.naming import Names
from stacks.policy import arns, nag


class TableBackups(Construct):
    """Regular backups of every table that holds user data.

    The vault refuses that a backup is deleted before its time. Nothing here can read or restore a backup: that takes an
    operator's credentials.

    Args:
        settings: how often, for how long, and where else.
    """

    def __init__(self, scope: cdk.Stack, environment: Environment, settings: Backup) -> None:
        super().__init__(scope, "Backups")
        self._environment = environment.name
        names = Names(environment.name)
        policy = cdk.RemovalPolicy.RETAIN if environment.protected else cdk.RemovalPolicy.DESTROY
        vault = backup.BackupVault(
            self,
            "Vault",
            backup_vault_name=names.of("Backups"),
            removal_policy=policy,
            block_recovery_point_deletion=environment.protected,
        )
        plan = backup.BackupPlan(self, "Plan", backup_plan_name=names.of("Backups"))
        plan.add_rule(self._rule(vault, settings))
        stateful = [table for table in tables.TABLES if table.stateful]
        role = self._role(stateful, settings)
        plan.add_selection(
            "Tables",
            role=role,
            disable_default_backup_policy=True,
            resources=[backup.BackupResource.from_arn(arns.table_arn(each, environment.name)) for each in stateful],
        )

    def _rule(self, vault: backup.IBackupVault, settings: Backup) -> backup.BackupPlanRule:
        expression, _ = BACKUP_SCHEDULES[settings.every]
        copies = []
        if settings.second_vault is not None:
            second = backup.BackupVault.from_backup_vault_arn(self, "SecondVault", settings.second_vault)
            copies = [
                backup.BackupPlanCopyActionProps(
                    destination_backup_vault=second, delete_after=cdk.Duration.days(settings.keep_days)
                )
            ]
        return backup.BackupPlanRule(
            rule_name=f"every-{settings.every}",
            backup_vault=vault,
            schedule_expression=events.Schedule.expression(expression),
            delete_after=cdk.Duration.days(settings.keep_days),
            copy_actions=copies,
        )

    def _role(self, stateful: list[tables.Table], settings: Backup) -> iam.Role:
        """Return the role of AWS Backup: the part of AWSBackupServiceRolePolicyForBackup that these tables need."""
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("backup.amazonaws.com"))
        policy = iam.Policy(self, "Policy", roles=[role])
        policy.add_statements(
            iam.PolicyStatement(
                actions=[
                    "dynamodb:CreateBackup",
                    "dynamodb:DescribeTable",
                    "dynamodb:ListTagsOfResource",
                    "dynamodb:StartAwsBackupJob",
                ],
                resources=[arns.table_arn(each, self._environment) for each in stateful],
            ),
            iam.PolicyStatement(
                actions=["dynamodb:DeleteBackup", "dynamodb:DescribeBackup"],
                resources=[arns.table_backups_arn(each, self._environment) for each in stateful],
            ),
        )
        if settings.second_vault is not None:
            policy.add_statements(
                iam.PolicyStatement(
                    actions=["backup:CopyIntoBackupVault", "backup:DescribeBackupVault"],
                    resources=[settings.second_vault],
                )
            )
        nag.acknowledge_backup_wildcards(policy, [each.name(self._environment) for each in stateful])
        return role
