"""Brings stacks that an earlier operation left half-way back to a state that can be deployed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops.aws import explained_errors
from ops.deploy.events import Failure, first_failure, last_operation, not_rolled_back
from ops.deploy.failures import PAGE
from ops.deploy.stack_states import (
    CHANGE_SET,
    StackState,
    State,
    busy_text,
    half_deleted_text,
    read_state,
)
from ops.deploy.tools import Tools
from ops.errors import CommandError


@dataclass(frozen=True)
class Recovery:
    """What has to be done to a stack before it can be deployed."""

    stack: StackState

    @property
    def text(self) -> str:
        """Return what happens to the stack, for the operator's confirmation."""
        name, status = self.stack.name, self.stack.status
        if self.stack.state is State.ROLLBACK_STUCK:
            return f"{name} is {status}: its rollback is continued"
        if self.stack.state is State.REVIEW:
            return (
                f"{name} is {status}: an earlier deployment was interrupted; the stack has no resource and is deleted"
            )
        protection = ", its termination protection turned off" if self.stack.protected else ""
        return f"{name} is {status}: its first creation failed; it is deleted{protection}, and created again"


def find_recoveries(stacks: Sequence[str], tools: Tools) -> list[Recovery]:
    """Return what has to be done first, in the order of the stacks.

    Args:
        stacks: the names of all stacks of the environment.
        tools: access to AWS.

    Raises:
        CommandError: a stack is in a state that needs a decision or the end of another operation; the message says
            what to do.
    """
    client = tools.cloudformation
    with explained_errors():
        found = [read_state(name, client) for name in stacks]
        blocked = [busy_text(each) for each in found if each.state is State.BUSY]
        blocked += [half_deleted_text(each) for each in found if each.state is State.HALF_DELETED]
        blocked += [
            text for each in found if each.state is State.REVIEW and (text := _foreign_review(each.name, tools))
        ]
    if blocked:
        raise CommandError("\n".join(blocked) + f"\nMore: {PAGE}")
    needed = (State.REVIEW, State.NEVER_COMPLETE, State.ROLLBACK_STUCK)
    return [Recovery(each) for each in found if each.state in needed]


def _foreign_review(stack: str, tools: Tools) -> str:
    """Return what to do about change sets of a stack under review that this command did not make; else nothing."""
    pages = tools.cloudformation.get_paginator("list_change_sets").paginate(StackName=stack)
    others = [each for page in pages for each in page["Summaries"] if each["ChangeSetName"] != CHANGE_SET]
    if not others:
        return ""
    lines = "\n".join(f"  {each['ChangeSetName']} of {each.get('CreationTime', '')}" for each in others)
    return (
        f"{stack} is REVIEW_IN_PROGRESS: another operator or tool prepared its creation and has not executed "
        f"it:\n{lines}\n"
        "Execute that change set, or delete the stack, which has no resource yet:\n"
        f"  aws cloudformation delete-stack --stack-name {stack}"
    )


def recover(recovery: Recovery, tools: Tools, skip: Sequence[str] = ()) -> None:
    """Carry out a recovery.

    Args:
        recovery: what has to be done.
        tools: access to AWS.
        skip: resources that a continued rollback leaves as they are, `STACK.LOGICAL_ID`.

    Raises:
        CommandError: it failed; the message says what to do.
    """
    if recovery.stack.state is State.ROLLBACK_STUCK:
        _continue_rollback(recovery.stack.name, tools, skip)
    else:
        _delete_never_complete(recovery.stack, tools)


def _continue_rollback(name: str, tools: Tools, skip: Sequence[str]) -> None:
    client = tools.cloudformation
    skipped = [each.partition(".")[2] for each in skip if each.partition(".")[0] == name.split("-")[1]]
    with explained_errors():
        before = last_operation(name, client)
        client.continue_update_rollback(StackName=name, **({"ResourcesToSkip": skipped} if skipped else {}))
    stack = tools.ended(name)
    if stack.status == "UPDATE_ROLLBACK_COMPLETE":
        return
    with explained_errors():
        events = last_operation(name, client)
    stuck = not_rolled_back(events) or not_rolled_back(before)
    raise CommandError(_stuck_text(name, stack.status, stuck, _failures(events, stuck)))


def _failures(events: Sequence[Mapping[str, Any]], stuck: Sequence[str]) -> list[Failure]:
    rows = [each for each in events if each["LogicalResourceId"] in stuck]
    found = [first_failure([each]) for each in rows]
    return list({each.logical_id: each for each in found if each is not None}.values())


def _stuck_text(name: str, status: str, stuck: Sequence[str], failures: Sequence[Failure]) -> str:
    short = name.split("-")[1]
    reasons = "\n".join(f"  {each.logical_id} ({each.type}): {each.reason}" for each in failures)
    options = " ".join(f"{short}.{each}" for each in stuck)
    return (
        f"{name} is still {status}. These resources could not be restored:\n{reasons or '  ' + ', '.join(stuck)}\n"
        "Make each one what it was before the update, for example create again what was deleted by hand, and repeat "
        "the command. If that is impossible, leave them as they are; the stack's template then differs from them until "
        "a later deployment changes them:\n"
        f"  python -m ops.deploy --env {name.split('-', 2)[2]} "
        f"--skip-resources {options}"
    )


def _delete_never_complete(stack: StackState, tools: Tools) -> None:
    """Delete a stack that was never complete; keep resources that cannot be deleted outside of it.

    Kept tables are found as left over afterwards: empty ones are deleted, the others imported.
    """
    client = tools.cloudformation
    with explained_errors():
        if stack.protected:
            client.update_termination_protection(StackName=stack.name, EnableTerminationProtection=False)
        (described,) = client.describe_stacks(StackName=stack.name)["Stacks"]
        stack_id = described["StackId"]
        client.delete_stack(StackName=stack.name)
    ended = tools.ended(stack_id)
    if ended.status == "DELETE_FAILED":
        with explained_errors():
            kept = _not_deleted(last_operation(stack_id, client))
            tools.progress.note(f"{stack.name}: kept outside of the stack: {', '.join(kept)}")
            client.delete_stack(StackName=stack.name, RetainResources=kept)
        ended = tools.ended(stack_id)
    if ended.status not in ("", "DELETE_COMPLETE"):
        raise CommandError(f"{stack.name} could not be deleted: {ended.status}. See {PAGE}")


def _not_deleted(events: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted(
        {
            str(each["LogicalResourceId"])
            for each in events
            if each["ResourceStatus"] == "DELETE_FAILED" and each["ResourceType"] != "AWS::CloudFormation::Stack"
        }
    )
