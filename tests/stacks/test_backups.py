"""Backups by AWS Backup: which tables, how often, for how long, and what their role may do."""

from __future__ import annotations

import pytest

from contract import tables
from stacks.config.fields import AUDIT_RETENTION_DAYS, BACKUP_SCHEDULES
from stacks.naming import AUDIT_LOG, RING_TIMEOUTS_QUEUE, Names
from stacks.packaging import ROOT
from tests.stacks.synthesis import (
    ALL,
    ENVIRONMENTS,
    EVERYTHING,
    SECOND_VAULT,
    as_list,
    properties,
    readable,
    resources,
    settings_of,
)

BACKED_UP = tuple(variant for variant in ALL if settings_of(variant).data.backup is not None)


def test_prod_has_backups_and_environments_with_disposable_data_have_none() -> None:
    assert BACKED_UP == ("prod", EVERYTHING)
    for variant in set(ALL) - set(BACKED_UP):
        assert properties(variant, "AWS::Backup::BackupPlan") == []


@pytest.mark.parametrize("variant", BACKED_UP)
def test_plan_keeps_backups_of_every_table_with_user_data(variant: str) -> None:
    settings = settings_of(variant)
    backup = settings.data.backup
    assert backup is not None
    (plan,) = properties(variant, "AWS::Backup::BackupPlan")
    (rule,) = plan["BackupPlan"]["BackupPlanRule"]
    assert rule["ScheduleExpression"] == BACKUP_SCHEDULES[backup.every][0]
    assert rule["Lifecycle"] == {"DeleteAfterDays": backup.keep_days}
    (selection,) = properties(variant, "AWS::Backup::BackupSelection")
    chosen = {readable(arn).rpartition("/")[2] for arn in selection["BackupSelection"]["Resources"]}
    assert chosen == {table.name(settings.name) for table in tables.TABLES if table.stateful}


def test_backups_are_copied_to_the_second_vault_and_kept_as_long() -> None:
    (plan,) = properties(EVERYTHING, "AWS::Backup::BackupPlan")
    (rule,) = plan["BackupPlan"]["BackupPlanRule"]
    assert rule["CopyActions"] == [{"DestinationBackupVaultArn": SECOND_VAULT, "Lifecycle": {"DeleteAfterDays": 90}}]


@pytest.mark.parametrize("variant", BACKED_UP)
def test_vault_is_retained_and_refuses_deletion(variant: str) -> None:
    (vault,) = resources(variant, "AWS::Backup::BackupVault").values()
    assert vault["DeletionPolicy"] == "Retain"
    (statement,) = vault["Properties"]["AccessPolicy"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert "backup:DeleteRecoveryPoint" in statement["Action"]


@pytest.mark.parametrize("variant", BACKED_UP)
def test_role_of_backups_may_back_up_but_not_read_or_restore(variant: str) -> None:
    (role,) = [
        each["Properties"]
        for name, each in resources(variant, "AWS::IAM::Role").items()
        if name.startswith("Data/Backups")
    ]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "backup.amazonaws.com"}
    policies = [
        each["Properties"]["PolicyDocument"]["Statement"]
        for name, each in resources(variant, "AWS::IAM::Policy").items()
        if name.startswith("Data/Backups")
    ]
    actions = {action for statements in policies for each in statements for action in as_list(each["Action"])}
    allowed = {
        *("dynamodb:CreateBackup", "dynamodb:DescribeTable", "dynamodb:ListTagsOfResource"),
        *("dynamodb:StartAwsBackupJob", "dynamodb:DeleteBackup", "dynamodb:DescribeBackup"),
    }
    copies = {"backup:CopyIntoBackupVault", "backup:DescribeBackupVault"} if variant == EVERYTHING else set()
    assert actions == allowed | copies


@pytest.mark.parametrize("variant", ENVIRONMENTS)
def test_retention_page_says_what_the_templates_say(variant: str) -> None:
    rows = (ROOT / "docs" / "reference" / "retention.md").read_text(encoding="utf-8").splitlines()
    cells = next(row for row in rows if row.startswith(f"| {variant} |")).strip("| ").split(" | ")
    found = properties(variant, "AWS::Logs::LogGroup")
    groups = {readable(each["LogGroupName"]): each["RetentionInDays"] for each in found}
    assert groups.pop(Names(variant).of(AUDIT_LOG)) == AUDIT_RETENTION_DAYS
    (log_days,) = set(groups.values())
    assert int(cells[1].split()[0]) == log_days
    backups = properties(variant, "AWS::Backup::BackupPlan")
    kept = [rule["Lifecycle"]["DeleteAfterDays"] for each in backups for rule in each["BackupPlan"]["BackupPlanRule"]]
    assert [int(cells[3].split()[-2])] * len(kept) == kept if kept else cells[3] == "none"
    queues = {each["QueueName"]: each["MessageRetentionPeriod"] for each in properties(variant, "AWS::SQS::Queue")}
    ring = Names(variant).of(RING_TIMEOUTS_QUEUE)
    day = 24 * 60 * 60
    for name, seconds in queues.items():
        assert seconds == (14 * day if "DeadLetters" in name else day if name == ring else 4 * day), name
