"""The events of a stack's last operation: its first failure, and the resources that could not be rolled back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

_STACK: Final = "AWS::CloudFormation::Stack"
_STARTS: Final = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS")
_CANCELLED: Final = "cancelled"


@dataclass(frozen=True)
class Failure:
    """A resource that failed: its logical id, type, status and CloudFormation's reason."""

    logical_id: str
    type: str
    status: str
    reason: str


def last_operation(name: str, client: Any) -> list[Mapping[str, Any]]:
    """Return the events of a stack's last operation with its rollback, the newest first.

    Args:
        name: name or id of the stack.
        client: a botocore CloudFormation client.
    """
    found: list[Mapping[str, Any]] = []
    for event in _events(name, client):
        found.append(event)
        own = event["ResourceType"] == _STACK and event.get("PhysicalResourceId") == event["StackId"]
        if own and event["ResourceStatus"] in _STARTS:
            break
    return found


def _events(name: str, client: Any) -> Iterator[Mapping[str, Any]]:
    for page in client.get_paginator("describe_stack_events").paginate(StackName=name):
        yield from page["StackEvents"]


def first_failure(events: list[Mapping[str, Any]]) -> Failure | None:
    """Return the failure that ended an operation: the earliest one that is not a cancellation."""
    for event in reversed(events):
        reason = event.get("ResourceStatusReason", "")
        failed = event["ResourceStatus"].endswith("_FAILED") or (
            event["ResourceType"] == _STACK and "ROLLBACK_IN_PROGRESS" in event["ResourceStatus"] and reason
        )
        if failed and _CANCELLED not in reason.lower():
            return Failure(event["LogicalResourceId"], event["ResourceType"], event["ResourceStatus"], reason)
    return None


def not_rolled_back(events: list[Mapping[str, Any]]) -> list[str]:
    """Return the logical ids of the resources that a failed rollback could not restore.

    Only resources in UPDATE_FAILED can be skipped (AWS CloudFormation: ContinueUpdateRollback, ResourcesToSkip).
    """
    last: dict[str, str] = {}
    for event in events:
        last.setdefault(event["LogicalResourceId"], event["ResourceStatus"])
    stack = {event["LogicalResourceId"] for event in events if event["ResourceType"] == _STACK}
    return sorted(name for name, status in last.items() if status == "UPDATE_FAILED" and name not in stack)
