"""Changes that put stored data at risk. For the CDK CLI most of them are updates like any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from contract.tables import TABLES
from ops.change_report.comparison import RETAINED, WHOLE, Comparison, ResourceChange, text
from ops.change_report.finding import Finding, Severity
from ops.change_report.rules.refused import POOL, TABLE, replacing_properties

CLIENT: Final = "AWS::Cognito::UserPoolClient"
QUEUE: Final = "AWS::SQS::Queue"


def find(comparison: Comparison) -> Iterator[Finding]:
    """Return the changes that remove data, stop its protection, or break queries of deployed functions."""
    for change in comparison.of_type(TABLE, POOL, CLIENT):
        if change.added:
            continue
        if change.removed:
            yield _removed(change)
            continue
        yield from _protections(change)
        if change.type == TABLE:
            yield from _table(change)
        elif replacing := replacing_properties(change):
            yield _finding(
                "replaced",
                change,
                f"{', '.join(replacing)} of {change.name} changed, which replaces it",
                "A new user pool has no users. A new client has another id: every session ends.",
                "Keep the value.",
                *replacing,
            )
    for change in comparison.of_type(QUEUE):
        yield from _queue(change)
    yield from _termination_protection(comparison)


def holds_user_data(change: ResourceChange) -> bool:
    """Return whether users would miss the content; the other tables hold what can be rebuilt or is temporary."""
    name = text((change.old or change.new).get("TableName", ""))
    return not any(name.startswith(table.name("")) and not table.stateful for table in TABLES)


def _finding(rule: str, change: ResourceChange, what: str, why: str, action: str, *properties: str) -> Finding:
    severity = Severity.DATA_AT_RISK if holds_user_data(change) else Severity.BEHAVES_DIFFERENTLY
    if severity is not Severity.DATA_AT_RISK:
        why = f"{why} The content of this table can be rebuilt or is temporary."
    return Finding(f"data.{rule}", severity, what, why, action, change.stack, change.logical_id, properties)


def _removed(change: ResourceChange) -> Finding:
    if (change.before or {}).get("DeletionPolicy") in RETAINED:
        return _finding(
            "orphaned",
            change,
            f"{change.name} is removed from the stack; it stays in the account, outside of the stack",
            "Nothing reads or protects it any more, and a later creation fails because its name is taken.",
            "Keep it; or delete it by hand after its data was moved.",
            WHOLE,
        )
    return _finding(
        "removed",
        change,
        f"{change.name} is removed with its data",
        "CloudFormation deletes it; only a backup brings the data back.",
        "Keep it, or export the data first.",
        WHOLE,
    )


def _protections(change: ResourceChange) -> Iterator[Finding]:
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        if (change.before or {}).get(policy) in RETAINED and (change.after or {}).get(policy) not in RETAINED:
            yield _finding(
                "not-retained",
                change,
                f"{policy} of {change.name} is no longer Retain",
                "Removing or replacing it, in any later deployment, deletes its data.",
                "Keep the policy where data is protected.",
                policy,
            )
    for name, on in (("DeletionProtectionEnabled", True), ("DeletionProtection", "ACTIVE")):
        if change.old.get(name) == on and change.new.get(name) != on:
            yield _finding(
                "deletion-protection",
                change,
                f"Deletion protection of {change.name} is switched off",
                "One wrong request deletes it.",
                "Keep it on where data is protected.",
                name,
            )


def _table(change: ResourceChange) -> Iterator[Finding]:
    old, new = change.old, change.new
    if _recoverable(old) and not _recoverable(new):
        yield _finding(
            "point-in-time-recovery",
            change,
            f"Point-in-time recovery of {change.name} is switched off",
            "The last 35 days can no longer be restored; switching it on again starts without a past.",
            "Keep it on where data is protected.",
            "PointInTimeRecoverySpecification",
        )
    lifetime = new.get("TimeToLiveSpecification")
    if lifetime and lifetime.get("Enabled") and lifetime != old.get("TimeToLiveSpecification"):
        yield _finding(
            "time-to-live",
            change,
            f"Items of {change.name} whose attribute {lifetime['AttributeName']} is in the past will be deleted",
            "DynamoDB deletes them within days, without a trace in the application.",
            "Check which items have the attribute.",
            "TimeToLiveSpecification",
        )
    if old.get("TableName") != new.get("TableName"):
        yield _finding(
            "renamed",
            change,
            f"{change.name} replaces {text(old.get('TableName'))}: the new table is empty",
            "Users see an application without their data. The old table stays only if it is retained.",
            "Keep the name; or move the data before the functions use the new table.",
            "TableName",
        )
    for name in ("SSESpecification", "KinesisStreamSpecification", "StreamSpecification"):
        if old.get(name) and not new.get(name):
            yield _finding(
                "table-setting",
                change,
                f"{name} of {change.name} is removed",
                "What reads or protects the table by it stops.",
                "Keep it, or confirm that nothing needs it.",
                name,
            )
    yield from _indexes(change)


def _recoverable(properties: Mapping[str, Any]) -> bool:
    return properties.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled") is True


def _indexes(change: ResourceChange) -> Iterator[Finding]:
    later = {index["IndexName"]: index for index in change.new.get("GlobalSecondaryIndexes", [])}
    for index in change.old.get("GlobalSecondaryIndexes", []):
        name = index["IndexName"]
        if name not in later:
            what, why = f"Index {name} of {change.name} is removed", "Queries of it fail at once."
        elif later[name] != index:
            what = f"Index {name} of {change.name} is rebuilt"
            why = "Queries of it fail or are incomplete until it is built."
        else:
            continue
        yield _finding(
            "index",
            change,
            what,
            why,
            "Deploy functions that do not query it first; then remove the index.",
            "GlobalSecondaryIndexes",
            "AttributeDefinitions",
        )


def _queue(change: ResourceChange) -> Iterator[Finding]:
    shorter = change.new.get("MessageRetentionPeriod", 345_600) < change.old.get("MessageRetentionPeriod", 345_600)
    if change.removed:
        yield Finding(
            "data.queue",
            Severity.BEHAVES_DIFFERENTLY,
            f"The queue {change.name} is removed with the messages in it",
            "The sweep delivers events from the outbox again; dead letters are lost.",
            "Empty the dead-letter queues first. A queue of the same name can be created after 60 seconds.",
            change.stack,
            change.logical_id,
            (WHOLE,),
        )
    elif not change.added and shorter:
        yield Finding(
            "data.queue-retention",
            Severity.BEHAVES_DIFFERENTLY,
            f"Messages of {change.name} are kept for {change.new.get('MessageRetentionPeriod', 345_600)} seconds, "
            f"before {change.old.get('MessageRetentionPeriod', 345_600)}",
            "Older messages are lost with the deployment.",
            "Handle the dead letters first.",
            change.stack,
            change.logical_id,
            ("MessageRetentionPeriod",),
        )


def _termination_protection(comparison: Comparison) -> Iterator[Finding]:
    before, after = comparison.before.protected_stacks, comparison.after.protected_stacks
    if before is None or after is None:
        return
    for stack in sorted((before - after) & comparison.after.templates.keys()):
        yield Finding(
            "data.termination-protection",
            Severity.DATA_AT_RISK,
            f"Termination protection of {stack} is switched off",
            "One request deletes the stack.",
            "Keep it on where data is protected.",
            stack=stack,
        )
