"""Checks before a deployment that read the deployed stacks: changes that AWS refuses, and rolling data back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from ops import cdk, revision
from ops.aws import explained_errors
from ops.change_report.comparison import Comparison, Revision
from ops.change_report.finding import Finding, Severity
from ops.change_report.report import find
from ops.errors import CommandError
from stacks import outputs
from stacks.naming import Names

DATA_STACKS: Final = ("Data", "Identity")
BRIDGE_STACK: Final = "Bridge"
"""Exists where `cutover.bridge` is set."""
STACKS: Final = (*DATA_STACKS, "Events", "Routes", BRIDGE_STACK, "Operations")
_NEVER_COMPLETE: Final = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED")


@dataclass(frozen=True)
class DeployedStack:
    """A stack in the account.

    Args:
        status: its status in CloudFormation.
        protected: whether it has termination protection.
        revision: the revision that was deployed last; None if it was not recorded.
        template: its template.
    """

    status: str
    protected: bool
    revision: str | None
    template: Mapping[str, Any]

    @property
    def never_complete(self) -> bool:
        """Return whether its first creation failed, so that it must be deleted before it can be created."""
        return self.status in _NEVER_COMPLETE


def read_deployed(environment: str, client: Any) -> dict[str, DeployedStack]:
    """Read the deployed stacks of an environment, by stack name.

    Args:
        environment: name of the environment.
        client: a botocore CloudFormation client.

    Raises:
        CommandError: AWS refused a request or did not respond.
    """
    names = [Names(environment).of(stack) for stack in STACKS]
    with explained_errors():
        found = {name: _read(name, client) for name in names}
    return {name: stack for name, stack in found.items() if stack is not None}


def _read(name: str, client: Any) -> DeployedStack | None:
    try:
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    if stack["StackStatus"] == "REVIEW_IN_PROGRESS":  # a change set, but no stack yet
        return None
    template = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    recorded = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    return DeployedStack(
        status=stack["StackStatus"],
        protected=stack.get("EnableTerminationProtection", False),
        revision=recorded.get(outputs.REVISION),
        template=_parsed(name, template),
    )


def _parsed(name: str, template: Any) -> Mapping[str, Any]:
    try:
        parsed: Mapping[str, Any] = json.loads(template) if isinstance(template, str) else template
    except ValueError as error:
        raise CommandError(f"The deployed template of {name} is not JSON, so the CDK has not deployed it.") from error
    return parsed


@dataclass(frozen=True)
class Plan:
    """What is deployed, and what is to be deployed; stacks that were never complete count as not deployed.

    Args:
        deployed: the deployed stacks by stack name.
        synthesised: the new templates by stack name.
    """

    deployed: Mapping[str, DeployedStack]
    synthesised: Mapping[str, Mapping[str, Any]]

    @property
    def templates(self) -> dict[str, Mapping[str, Any]]:
        """Return the deployed templates by stack name."""
        return {name: stack.template for name, stack in self.deployed.items()}

    @cached_property
    def comparison(self) -> Comparison:
        """Return the change of the account: all deployed stacks before and after it."""
        return Comparison(Revision(self.templates), Revision({**self.templates, **self.synthesised}))

    @cached_property
    def all_findings(self) -> tuple[Finding, ...]:
        """Return what the change report says about the change of the account, the most severe first."""
        return find(self.comparison)

    def findings(self, severity: Severity) -> list[Finding]:
        """Return what the change report says at one severity."""
        return [finding for finding in self.all_findings if finding.severity is severity]


def plan(deployed: Mapping[str, DeployedStack], assembly: Path, only: Sequence[str]) -> Plan:
    """Return the plan of a deployment.

    Args:
        deployed: the deployed stacks by stack name.
        assembly: the cloud assembly to deploy.
        only: the stacks to deploy; empty for all of them.
    """
    return Plan(
        {name: stack for name, stack in deployed.items() if not stack.never_complete},
        {
            name: stack.template
            for name, stack in cdk.stacks_of(assembly).items()
            if not only or stack.construct in only
        },
    )


def check_data_risks(plan: Plan) -> None:
    """Check that no change puts stored data at risk.

    Raises:
        CommandError: a change does; the message lists all of them.
    """
    if risks := plan.findings(Severity.DATA_AT_RISK):
        raise CommandError(
            "These changes put stored data at risk; if they are intended, add --accept-data-risks:\n" + _lines(risks)
        )


def _lines(findings: Sequence[Finding]) -> str:
    return "\n".join(f"{each.stack}: {each.what}. {each.why} {each.action}" for each in findings)


def check_changes(plan: Plan, root: Path = cdk.ROOT) -> None:
    """Check that AWS accepts the changes, and that the data stacks are not rolled back.

    Args:
        plan: the plan of the deployment.
        root: the checkout.

    Raises:
        CommandError: a change would be refused, or would roll data back; the message says what to do.
    """
    if refused := plan.findings(Severity.REFUSED):
        raise CommandError("AWS would refuse these changes:\n" + _lines(refused))
    rolled_back = [
        f"{name} is at {stack.revision}"
        for name, stack in plan.deployed.items()
        if name.split("-")[1] in DATA_STACKS
        and name in plan.synthesised
        and stack.revision is not None
        and revision.is_older(root, stack.revision)
    ]
    if rolled_back:
        raise CommandError(
            f"This checkout is older than the deployed revision ({'; '.join(rolled_back)}). Deploying it would remove "
            "tables and indexes that it does not know. Deploy the functions and channels only: --only Events Routes"
        )
