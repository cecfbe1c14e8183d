"""Exports that other stacks import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers


def export_problem(stack_id: str, exports: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return CloudFormation's message for exports of a stack that other stacks do not allow.

    Args:
        stack_id: of the stack that is deployed.
        exports: what it exports now, by name.
    """
    for name in exports:
        kept = cloudformation._exports.get(name)
        if kept is not None and kept["StackId"] != stack_id:
            return f"Export with name {name} is already exported by stack {_name(kept['StackId'])}"
    for name, kept in exports_of(stack_id).items():
        after = exports.get(name)
        if after is not None and after["Value"] == kept["Value"]:
            continue
        importing = _importing(name, stack_id)
        if importing is not None:
            return f"Export {name} cannot be {'deleted' if after is None else 'updated'} as it is in use by {importing}"
    return None


def exports_of(stack_id: str) -> dict[str, dict[str, Any]]:
    """Return what a stack exports, by name."""
    return {name: export for name, export in cloudformation._exports.items() if export["StackId"] == stack_id}


def _importing(name: str, stack_id: str) -> str | None:
    for other, stack in cloudformation._stacks.items():
        gone = "DELETE_COMPLETE" in stack.get("StackStatus", "")
        if stack["StackId"] != stack_id and not gone and name in handlers._imported_export_names(stack, other):
            return str(other)
    return None


def _name(stack_id: str) -> str:
    return stack_id.split("/")[1]
