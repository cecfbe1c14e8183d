"""What the status of a deployed stack means for a deployment, and what to do about it.

Source: AWS CloudFormation user guide, "Understand CloudFormation stack creation events" and "Stack status codes".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from botocore.exceptions import ClientError

CHANGE_SET: Final = "make-deploy"
"""Name of the change sets of this command. The CDK CLI replaces one of the same name."""


class State(Enum):
    """What a deployment can do with a stack."""

    ABSENT = "does not exist"
    READY = "can be updated"
    REVIEW = "has change sets, but was never created"
    NEVER_COMPLETE = "its first creation failed"
    BUSY = "another operation is running"
    ROLLBACK_STUCK = "its last rollback failed"
    HALF_DELETED = "its deletion failed"


_STATES: Final = {
    "REVIEW_IN_PROGRESS": State.REVIEW,
    "CREATE_FAILED": State.NEVER_COMPLETE,
    "ROLLBACK_COMPLETE": State.NEVER_COMPLETE,
    "ROLLBACK_FAILED": State.NEVER_COMPLETE,
    "UPDATE_ROLLBACK_FAILED": State.ROLLBACK_STUCK,
    "DELETE_COMPLETE": State.ABSENT,
    "DELETE_FAILED": State.HALF_DELETED,
}


@dataclass(frozen=True)
class StackState:
    """A stack and its state.

    Args:
        name: name of the stack.
        status: its status in CloudFormation; empty if it does not exist.
        protected: whether it has termination protection.
        since: when the last operation began, as an ISO date; empty if it is not known.
    """

    name: str
    status: str = ""
    protected: bool = False
    since: str = ""

    @property
    def state(self) -> State:
        """Return what a deployment can do with it."""
        if not self.status:
            return State.ABSENT
        if self.status in _STATES:
            return _STATES[self.status]
        return State.BUSY if self.status.endswith("_IN_PROGRESS") else State.READY


def read_state(name: str, client: Any) -> StackState:
    """Return the state of a stack.

    Args:
        name: name of the stack.
        client: a botocore CloudFormation client.

    Raises:
        ClientError: AWS refused the request.
    """
    try:
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return StackState(name)
        raise
    began = stack.get("LastUpdatedTime", stack.get("CreationTime"))
    return StackState(
        name,
        stack["StackStatus"],
        stack.get("EnableTerminationProtection", False),
        began.isoformat(timespec="seconds") if hasattr(began, "isoformat") else str(began or ""),
    )


def busy_text(stack: StackState) -> str:
    """Return what to do about a stack on which another operation runs."""
    cancel = (
        f"\n  stop an update, which rolls it back: aws cloudformation cancel-update-stack --stack-name {stack.name}"
        if stack.status == "UPDATE_IN_PROGRESS"
        else ""
    )
    return (
        f"{stack.name} is {stack.status} since {stack.since}: an operation of another operator or pipeline is running. "
        "Nothing was changed. Wait for its end, then repeat the command.\n"
        f"  see who started it: aws cloudtrail lookup-events --lookup-attributes "
        f"AttributeKey=ResourceName,AttributeValue={stack.name}\n"
        f"  watch it: aws cloudformation describe-stack-events --stack-name {stack.name} --max-items 10{cancel}"
    )


def half_deleted_text(stack: StackState) -> str:
    """Return what to do about a stack whose deletion failed: it can only be deleted."""
    return (
        f"{stack.name} is DELETE_FAILED: its deletion stopped, and such a stack can only be deleted. See which "
        "resources remain, keep those with data, and delete the rest; the next deployment imports the kept tables.\n"
        f"  aws cloudformation describe-stack-resources --stack-name {stack.name} "
        "--query \"StackResources[?ResourceStatus!='DELETE_COMPLETE'].LogicalResourceId\"\n"
        f"  aws cloudformation delete-stack --stack-name {stack.name} --retain-resources LOGICAL_ID ..."
    )
