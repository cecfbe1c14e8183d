"""Changes that put stored data at risk and that the CDK CLI does not call destructive.

For the CLI a dropped index, a time to live or a protection that is switched off are updates like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

Template = Mapping[str, Any]
Resource = Mapping[str, Any]

_TABLE: Final = "AWS::DynamoDB::Table"
_STATEFUL: Final = (_TABLE, "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient")
_RETAINED: Final = ("Retain", "RetainExceptOnCreate")


def data_risks(before: Mapping[str, Template], after: Mapping[str, Template]) -> list[str]:
    """Return one line per change that removes data, stops its protection, or breaks queries of deployed functions.

    Args:
        before: the earlier templates by stack name.
        after: the later templates by stack name; stacks that are missing here are not changed.
    """
    return [
        f"{stack}: {logical_id} ({resource['Type']}): {risk}"
        for stack, template in after.items()
        for logical_id, resource in before.get(stack, {}).get("Resources", {}).items()
        if resource["Type"] in _STATEFUL
        for risk in _risks(resource, template.get("Resources", {}).get(logical_id))
    ]


def _risks(old: Resource, new: Resource | None) -> Iterator[str]:
    if new is None:
        kept = old.get("DeletionPolicy") in _RETAINED
        yield "removed; it stays in the account, outside of the stack" if kept else "removed with its data"
        return
    for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
        if old.get(policy) in _RETAINED and new.get(policy) not in _RETAINED:
            yield f"{policy} is no longer Retain: removing or replacing it deletes its data"
    earlier, later = old.get("Properties", {}), new.get("Properties", {})
    if _protected(earlier) and not _protected(later):
        yield "deletion protection is switched off"
    if old["Type"] == _TABLE:
        yield from _table_risks(earlier, later)


def _protected(properties: Mapping[str, Any]) -> bool:
    return properties.get("DeletionProtectionEnabled") is True or properties.get("DeletionProtection") == "ACTIVE"


def _table_risks(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    def recoverable(properties: Mapping[str, Any]) -> bool:
        return properties.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled") is True

    if recoverable(old) and not recoverable(new):
        yield "point-in-time recovery is switched off, and the last 35 days can no longer be restored"
    lifetime = new.get("TimeToLiveSpecification")
    if lifetime and lifetime.get("Enabled") and lifetime != old.get("TimeToLiveSpecification"):
        yield f"items whose attribute {lifetime['AttributeName']} is in the past will be deleted"
    if old.get("TableName") != new.get("TableName"):
        yield f"renamed to {new.get('TableName')}: the new table is empty"
    indexes = {index["IndexName"]: index for index in new.get("GlobalSecondaryIndexes", [])}
    for index in old.get("GlobalSecondaryIndexes", []):
        name = index["IndexName"]
        if name not in indexes:
            yield f"index {name} is removed: queries of it fail at once"
        elif indexes[name] != index:
            yield f"index {name} is rebuilt: queries of it fail or are incomplete meanwhile"
