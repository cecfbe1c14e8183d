"""Creates the stacks of one environment; app.py and the tests call it."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from stacks import outputs
from stacks.config.fields import Environment
from stacks.data import DataStack
from stacks.events import EventsStack
from stacks.identity import IdentityStack
from stacks.operations import OperationsStack
from stacks.packaging import Asset
from stacks.routes import RoutesStack


@dataclass(frozen=True)
class Stacks:
    """The stacks of an environment, in deployment order."""

    data: DataStack
    identity: IdentityStack
    events: EventsStack
    routes: RoutesStack
    operations: OperationsStack

    def all(self) -> tuple[Stack, ...]:
        """Return every stack."""
        return (self.data, self.identity, self.events, self.routes, self.operations)


def compose(scope: Construct, environment: Environment, asset: Asset, revision: str | None = None) -> Stacks:
    """Create the stacks of an environment.

    References between stacks give the deployment order. Stacks that refer to tables only by name depend on Data
    explicitly.

    Args:
        scope: the app.
        environment: the environment's settings.
        asset: the Lambda package.
        revision: recorded as an output of every stack; None records nothing, so that templates depend on their
            sources only.
    """
    data = DataStack(scope, environment)
    identity = IdentityStack(scope, environment, asset)
    events = EventsStack(scope, environment, identity.pool)
    routes = RoutesStack(
        scope,
        environment,
        asset=asset,
        pool=identity.pool,
        events=events,
        outbox_stream_arn=data.outbox_stream_arn,
    )
    operations = OperationsStack(
        scope, environment, asset=asset, pool=identity.pool, events=events, http_api=routes.api
    )
    identity.add_stack_dependency(data)
    events.add_stack_dependency(data)
    operations.add_stack_dependency(data)
    stacks = Stacks(data, identity, events, routes, operations)
    if revision is not None:
        for stack in stacks.all():
            CfnOutput(stack, outputs.REVISION, value=revision, description="Deployed revision, from git")
    return stacks
