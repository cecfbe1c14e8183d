"""Time to live and point-in-time recovery of tables made by CloudFormation.

Upstream: `AWS::DynamoDB::Table` drops `TimeToLiveSpecification` and `PointInTimeRecoverySpecification` without a
word, so nothing expires and the table describes itself as unprotected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import dynamodb
from ministack.services.cloudformation import provisioners

Provisioned = tuple[str, dict[str, Any]]


def apply() -> None:
    """Set both after the table's own provisioner has run."""
    for resource_type in ("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"):
        handlers = provisioners._RESOURCE_HANDLERS[resource_type]
        handlers["create"] = _after_create(handlers["create"])
        handlers["update"] = _after_update(handlers["update"])


def _after_create(create: Callable[..., Provisioned]) -> Callable[..., Provisioned]:
    def created(logical_id: str, properties: dict[str, Any], stack_name: str) -> Provisioned:
        result = create(logical_id, properties, stack_name)
        _set(result[0], {}, properties)
        return result

    return created


def _after_update(update: Callable[..., Provisioned]) -> Callable[..., Provisioned]:
    def updated(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, *rest: Any) -> Provisioned:
        result = update(physical_id, old, new, stack_name, *rest)
        _set(result[0], old if result[0] == physical_id else {}, new)
        return result

    return updated


def _set(table: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    _set_time_to_live(table, old.get("TimeToLiveSpecification"), new.get("TimeToLiveSpecification"))
    recovery = new.get("PointInTimeRecoverySpecification") or {"PointInTimeRecoveryEnabled": False}
    if new.get("PointInTimeRecoverySpecification") or old.get("PointInTimeRecoverySpecification"):
        enabled = _is_true(recovery.get("PointInTimeRecoveryEnabled"))
        _check(
            dynamodb._update_continuous_backups(
                {
                    "TableName": table,
                    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": enabled},
                }
            )
        )


def _set_time_to_live(table: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
    wanted = new or ({**old, "Enabled": False} if old else None)
    if wanted is None:
        return
    specification = {"AttributeName": wanted["AttributeName"], "Enabled": _is_true(wanted.get("Enabled"))}
    _check(dynamodb._update_ttl({"TableName": table, "TimeToLiveSpecification": specification}))


def _is_true(value: Any) -> bool:
    """Templates carry booleans as booleans or as text."""
    return str(value).lower() == "true"


def _check(response: tuple[int, dict[str, str], bytes]) -> None:
    if response[0] >= 400:
        raise ValueError(f"AWS::DynamoDB::Table settings refused: {response[2]!r}")
