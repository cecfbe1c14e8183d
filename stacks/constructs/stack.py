"""The base class of the stacks: name, account and region, tags, termination protection and outputs."""

from __future__ import annotations

import aws_cdk as cdk
from constructs import Construct

from stacks.config.fields import Environment
from stacks.naming import PRODUCT, Names
from stacks.outputs import Output


class EnvironmentStack(cdk.Stack):
    """The stack `PantherKolab-{name}-{environment}`; termination protection is on where data is retained.

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
            env=cdk.Environment(account=environment.aws.account, region=environment.aws.region),
            description=f"{PRODUCT} {environment.name}: {description}",
            termination_protection=environment.data.removal == "retain",
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
