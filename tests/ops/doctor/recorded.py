"""A target whose clients answer with recorded responses of AWS, checked against botocore's service models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import botocore.session
from botocore.stub import Stubber

from ops.deployed.stacks import Deployed, DeployedStack, stacks_of
from ops.deployed.target import Target
from ops.doctor.__main__ import examine
from ops.doctor.check import Outcome, Result
from ops.doctor.examination import Question
from stacks.config.fields import Environment
from stacks.config.load import load

ACCOUNT, REGION = "111111111111", "eu-central-1"
KEYS = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S"}


def stack(name: str, **changes: Any) -> DeployedStack:
    """Return a complete stack of dev without resources."""
    complete = DeployedStack(f"PantherKolab-{name}-dev", "UPDATE_COMPLETE", "", False, {}, {}, {}, {})
    return replace(complete, **changes)


class Recorded:
    """The environment dev with recorded responses, each used once, in its order for each service."""

    def __init__(self, environment: Environment | None = None) -> None:
        self._stubbers: dict[str, Stubber] = {}
        self.target = Target(environment or load("dev"), REGION, self._client, KEYS)
        self.deploy()

    def deploy(self, *stacks: DeployedStack, only: bool = False) -> None:
        """Set the deployed stacks: the given ones, and unless `only` complete ones for the others."""
        given = {each.name: each for each in stacks}
        others = {} if only else {each.name: each for each in map(stack, stacks_of(self.target.environment))}
        self.target.__dict__["deployed"] = Deployed({**others, **given}, REGION, ACCOUNT)

    def resource(self, stack_name: str, type: str, properties: Mapping[str, Any], physical_id: str = "id") -> None:
        """Deploy one resource, with the outputs that the stack has already."""
        present = self.target.deployed.stacks[f"PantherKolab-{stack_name}-dev"]
        template = {"Resources": {"Thing": {"Type": type, "Properties": properties}}}
        self.deploy(replace(present, template=template, physical_ids={"Thing": physical_id}))

    def outputs(self, stack_name: str, **values: str) -> None:
        """Set the outputs of a stack."""
        self.deploy(stack(stack_name, outputs=values))

    def stub(self, service: str) -> Stubber:
        if service not in self._stubbers:
            keys = {"aws_access_key_id": "A", "aws_secret_access_key": "S"}
            client = botocore.session.get_session().create_client(service, region_name=REGION, **keys)
            self._stubbers[service] = Stubber(client)
            self._stubbers[service].activate()
        return self._stubbers[service]

    def _client(self, service: str, region: str) -> Any:
        return self.stub(service).client

    def answers(self, service: str, operation: str, response: Mapping[str, Any]) -> None:
        """Answer the next request to a service."""
        self.stub(service).add_response(operation, dict(response))

    def refuses(self, service: str, operation: str, code: str) -> None:
        """Refuse the next request to a service."""
        self.stub(service).add_client_error(operation, code, "refused")

    def look(self, id: str) -> Result:
        """Make one check, and those that it needs."""
        self.target.__dict__.setdefault("account", ACCOUNT)
        self.target.read = self._read  # type: ignore[method-assign]
        report = examine(self.target, Question(), (id,))
        return next(result for result in report.results if result.check.id == id)

    def _read(self, service: str, operation: str, *, region: str | None = None, **parameters: Any) -> Any:
        if (service, operation) == ("sts", "get_caller_identity") and "sts" not in self._stubbers:
            return {"Account": ACCOUNT}
        return Target.read(self.target, service, operation, region=region, **parameters)


def says(result: Result) -> tuple[Outcome, str]:
    """Return the outcome and the text of a result."""
    return result.outcome, "; ".join(finding.text for finding in result.findings) or result.reason
