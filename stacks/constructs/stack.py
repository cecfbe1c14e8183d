"""The base class of the stacks: name, account and region, tags, termination protection and outputs."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from constructs import Construct

from stacks.config.fields import Environment
from stacks.naming import PRODUCT, Names
from stacks.outputs import Output

NO_ACCOUNT: Final = "000000000000"
"""No account has this id. The CDK CLI refuses to deploy stacks of another account than that of the credentials."""


def _target(environment: Environment) -> cdk.Environment:
    if environment.aws.pinned:
        return cdk.Environment(account=environment.aws.account, region=environment.aws.region)
    return cdk.Environment(account=NO_ACCOUNT if environment.protected else None)


class EnvironmentStack(cdk.Stack):
    """The stack `PantherKolab-{name}-{environment}`; termination protection is on where data is retained.

    A protected environment without a known account can be synthesised, but no credentials can deploy it.

    Attributes:
        data_removal_policy: the policy of tables and user pool. A retained resource outlives its stack, except when
            the update that creates it is rolled back: an empty table that stays would make the retry fail, because
            its name is taken (AWS CloudFormation: DeletionPolicy attribute, RetainExceptOnCreate).
    """

    def __init__(self, scope: Construct, name: str, environment: Environment, description: str) -> None:
        super().__init__(
            scope,
            name,
            stack_name=Names(environment.name).of(name),
            env=_target(environment),
            description=f"{PRODUCT} {environment.name}: {description}",
            termination_protection=environment.protected,
            tags={"application": PRODUCT, "environment": environment.name},
        )
        self.environment_settings = environment
        self.data_removal_policy = (
            cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
            if environment.data.removal == "retain"
            else cdk.RemovalPolicy.DESTROY
        )
        self.names = Names(environment.name)

    def add_output(self, output: Output, value: str) -> None:
        """Add one of this stack's outputs."""
        cdk.CfnOutput(self, output.id, value=value, description=output.description)
