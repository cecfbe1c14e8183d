"""One change set for a stack: prepared and executed by the CDK CLI, and compared with the report in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from ops.aws import explained_errors
from ops.change_report.comparison import Comparison
from ops.change_report.rules.refused import replacing_properties
from ops.deploy.alarms import Triggers
from ops.deploy.events import first_failure, last_operation
from ops.deploy.failures import explain
from ops.deploy.stack_states import CHANGE_SET
from ops.deploy.tools import Tools
from ops.errors import CommandError

_EMPTY: Final = ("didn't contain changes", "No updates are to be performed")
_METADATA: Final = "AWS::CDK::Metadata"
_STATEFUL: Final = (
    *("AWS::DynamoDB::Table", "AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient"),
    *("AWS::AppSync::Api", "AWS::ApiGatewayV2::Api", "AWS::SQS::Queue"),
)
"""Types whose replacement loses data or changes an address that clients use."""
_REVIEW: Final = "REVIEW_IN_PROGRESS"
_COMPLETE: Final = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")


@dataclass(frozen=True)
class ChangeSet:
    """A prepared change set.

    Args:
        stack: name of the stack.
        changes: what CloudFormation will do with each resource (DescribeChangeSet: ResourceChange).
    """

    stack: str
    changes: Sequence[Mapping[str, Any]]

    @property
    def summary(self) -> str:
        """Return how many resources it adds, imports, modifies, replaces and removes."""
        counts: dict[str, int] = {}
        for change in self.changes:
            action = "Replace" if change.get("Replacement") == "True" else change["Action"]
            counts[action] = counts.get(action, 0) + 1
        return ", ".join(f"{action.lower()} {count}" for action, count in sorted(counts.items())) or "outputs only"


@dataclass(frozen=True)
class Target:
    """What is deployed to one stack.

    Args:
        assembly: the cloud assembly.
        construct: path of the stack's construct.
        stack: name of the stack.
        triggers: the alarms that roll the update back.
        import_existing: take named resources that exist outside of any stack into it.
    """

    assembly: Path
    construct: str
    stack: str
    triggers: Triggers = field(default_factory=Triggers)
    import_existing: bool = False


def prepare(target: Target, tools: Tools) -> ChangeSet | None:
    """Publish the assets, create the change set and return it; None if nothing changes.

    Raises:
        CommandError: the CLI or CloudFormation failed.
    """
    status = tools.cli(_command(target, "prepare-change-set", *target.triggers.options, *_import_option(target)))
    found = _describe(target.stack, tools.cloudformation)
    if status != 0:
        reason = f": {found['StatusReason']}" if found and found.get("StatusReason") else ""
        raise CommandError(f"The change set of {target.stack} could not be prepared{reason}. Nothing was changed.")
    if found is None:
        return None
    if found["Status"] == "FAILED":
        if any(text in found.get("StatusReason", "") for text in _EMPTY):
            _delete(target.stack, tools.cloudformation)
            return None
        raise CommandError(f"The change set of {target.stack} failed: {found.get('StatusReason', '')}")
    return ChangeSet(target.stack, found["Changes"])


def _command(target: Target, method: str, *options: str) -> list[str]:
    return [
        *("deploy", "--app", str(target.assembly), target.construct, "--exclusively", "--method", method),
        *("--change-set-name", CHANGE_SET, "--require-approval", "never", *options),
    ]


def _import_option(target: Target) -> tuple[str, ...]:
    return ("--import-existing-resources",) if target.import_existing else ()


def _describe(stack: str, client: Any) -> dict[str, Any] | None:
    found: dict[str, Any] = {"Changes": []}
    request = {"StackName": stack, "ChangeSetName": CHANGE_SET}
    with explained_errors():
        while True:
            try:
                page = client.describe_change_set(**request)
            except ClientError as error:
                if error.response["Error"]["Code"] in ("ChangeSetNotFound", "ChangeSetNotFoundException"):
                    return None
                if "does not exist" in str(error):
                    return None
                raise
            found = {**page, "Changes": found["Changes"] + [each["ResourceChange"] for each in page["Changes"]]}
            if "NextToken" not in page:
                return found
            request["NextToken"] = page["NextToken"]


def _delete(stack: str, client: Any) -> None:
    with explained_errors():
        client.delete_change_set(StackName=stack, ChangeSetName=CHANGE_SET)


def surprises(change_set: ChangeSet, comparison: Comparison) -> list[str]:
    """Return what the change set replaces or removes although the report did not say so.

    CloudFormation compares with what it deployed and resolves references, so that it may know more than two templates.
    """
    changes = {each.logical_id: each for each in comparison.changes if each.stack == change_set.stack}
    found = []
    for change in change_set.changes:
        logical_id, kind = change["LogicalResourceId"], change["ResourceType"]
        known = changes.get(logical_id)
        expected = known is not None and (known.removed or known.added or bool(replacing_properties(known)))
        if kind == _METADATA or expected:
            continue
        replacement = change.get("Replacement")
        if replacement == "True":
            found.append(f"{logical_id} ({kind}) is replaced{_causes(change)}")
        elif replacement == "Conditional" and kind in _STATEFUL:
            found.append(f"{logical_id} ({kind}) may be replaced{_causes(change)}")
        elif change["Action"] == "Remove":
            found.append(f"{logical_id} ({kind}) is removed")
    return found


def _causes(change: Mapping[str, Any]) -> str:
    names = {
        detail["Target"].get("Name") or detail["Target"].get("Attribute", "")
        for detail in change.get("Details", [])
        if detail.get("Target", {}).get("RequiresRecreation", "Never") != "Never"
    }
    return f" because of {', '.join(sorted(names))}" if names else ""


def check_surprises(change_set: ChangeSet, comparison: Comparison, tools: Tools) -> None:
    """Check that a change set replaces and removes only what the report said; delete it if it does more.

    Raises:
        CommandError: it does more; the stack was not changed.
    """
    if found := surprises(change_set, comparison):
        _delete(change_set.stack, tools.cloudformation)
        raise CommandError(
            f"CloudFormation would do more to {change_set.stack} than the report says, so it was not changed:\n"
            + "\n".join(f"  {each}" for each in found)
            + "\nThe account may differ from its template: npx cdk drift; or correct the template."
        )


def execute(target: Target, environment: str, tools: Tools) -> str:
    """Execute the prepared change set and return the stack's status.

    Raises:
        CommandError: the stack is not complete afterwards; the message has the first failure and what to do. Or the CLI
            failed: then a complete stack may still be that of the operation before.
    """
    exit_status = tools.cli(_command(target, "execute-change-set"))
    stack = tools.ended(target.stack)
    if exit_status != 0 and stack.status in (*_COMPLETE, _REVIEW):
        raise CommandError(
            f"The CDK CLI could not execute the change set of {target.stack}, which is {stack.status}; its output is "
            "above. Correct the cause and repeat the command."
        )
    if stack.status in _COMPLETE:
        return stack.status
    with explained_errors():
        failure = first_failure(last_operation(target.stack, tools.cloudformation))
    raise CommandError(f"{target.stack} is {stack.status}.\n{explain(target.stack, environment, failure)}")
