"""The deployed stacks of an environment: state, outputs, and every resource with the properties of its template."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ops.deployed.values import References, resolved
from ops.preflight import BRIDGE_STACK, STACKS
from stacks.config.fields import Environment
from stacks.naming import Names
from stacks.outputs import REVISION


def stacks_of(environment: Environment) -> tuple[str, ...]:
    """Return the names of an environment's stacks without its prefix, in the order of a deployment."""
    return tuple(each for each in STACKS if each != BRIDGE_STACK or environment.cutover.bridge)


@dataclass(frozen=True)
class Resource:
    """One resource of a deployed stack.

    Args:
        stack: name of its stack.
        logical_id: its id in the template.
        type: CloudFormation's resource type.
        physical_id: AWS's id or name; empty if it has none.
        properties: the properties of the template; a value that only AWS knows is `values.UNKNOWN`.
    """

    stack: str
    logical_id: str
    type: str
    physical_id: str
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class DeployedStack:
    """One deployed stack.

    Args:
        name, status: as in CloudFormation.
        reason: CloudFormation's reason of the status; may be empty.
        protected: whether it has termination protection.
        outputs: outputs by id.
        exports: exported values by name.
        template: its template.
        physical_ids: physical ids by logical id.
    """

    name: str
    status: str
    reason: str
    protected: bool
    outputs: Mapping[str, str]
    exports: Mapping[str, str]
    template: Mapping[str, Any]
    physical_ids: Mapping[str, str]

    @property
    def revision(self) -> str | None:
        """Return the deployed revision; None if it was not recorded."""
        return self.outputs.get(REVISION)


@dataclass(frozen=True)
class Deployed:
    """The stacks that exist, by name, and the region and account that they are in."""

    stacks: Mapping[str, DeployedStack]
    region: str
    account: str

    def resources(self, type: str) -> Iterator[Resource]:
        """Yield the resources of one type, in the order of the stacks."""
        exports = {name: value for stack in self.stacks.values() for name, value in stack.exports.items()}
        for stack in self.stacks.values():
            references = References(
                stack.template, stack.physical_ids, stack.outputs, exports, self.region, self.account
            )
            for logical_id, resource in stack.template.get("Resources", {}).items():
                if resource["Type"] == type:
                    yield Resource(
                        stack.name,
                        logical_id,
                        type,
                        stack.physical_ids.get(logical_id, ""),
                        resolved(resource.get("Properties", {}), references),
                    )


def read_deployed(names: Names, client: Any, region: str, account: str) -> Deployed:
    """Read the deployed stacks.

    Args:
        names: the environment's physical names.
        client: a CloudFormation client.
        region, account: where they are deployed.

    Raises:
        botocore.exceptions.ClientError: AWS refused a request.
    """
    found = {name: _read(name, client) for name in map(names.of, STACKS)}
    return Deployed({name: stack for name, stack in found.items() if stack is not None}, region, account)


def _read(name: str, client: Any) -> DeployedStack | None:
    try:
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    body = client.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    resources = [
        each
        for page in client.get_paginator("list_stack_resources").paginate(StackName=name)
        for each in page["StackResourceSummaries"]
    ]
    outputs = stack.get("Outputs", [])
    return DeployedStack(
        name=name,
        status=stack["StackStatus"],
        reason=stack.get("StackStatusReason", ""),
        protected=stack.get("EnableTerminationProtection", False),
        outputs={each["OutputKey"]: each["OutputValue"] for each in outputs},
        exports={each["ExportName"]: each["OutputValue"] for each in outputs if each.get("ExportName")},
        template=json.loads(body) if isinstance(body, str) else body,
        physical_ids={each["LogicalResourceId"]: each.get("PhysicalResourceId", "") for each in resources},
    )
