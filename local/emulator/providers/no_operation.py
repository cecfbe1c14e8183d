"""Types that are accepted and do nothing here: what they would do has no counterpart on one machine."""

from __future__ import annotations

from typing import Any

from ministack.services.cloudformation import provisioners

Provisioned = tuple[str, dict[str, Any]]


def install_no_operations() -> None:
    """Register the types.

    * `AWS::WAFv2::WebACLAssociation`: the emulator has web ACLs but nothing enforces them.
    * `Custom::LogRetention`: the CDK's helper function is Node code that expects the SDK of the managed runtime.
      Log groups of the emulator live as long as the state directory.
    """
    for resource_type in ("AWS::WAFv2::WebACLAssociation", "Custom::LogRetention"):
        provisioners._RESOURCE_HANDLERS[resource_type] = {"create": _create, "update": _update, "delete": _delete}


def _create(logical_id: str, properties: dict[str, Any], stack_name: str) -> Provisioned:
    # LogGroupName is the one attribute that a template may read back from Custom::LogRetention.
    name = properties.get("LogGroupName", "")
    return name or f"{stack_name}-{logical_id}", {"LogGroupName": name}


def _update(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> Provisioned:
    return physical_id, {"LogGroupName": new.get("LogGroupName", "")}


def _delete(physical_id: str, properties: dict[str, Any]) -> None:
    """Nothing was made, so nothing is removed."""
