"""Creates the stacks of one environment; app.py and the tests call it."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from stacks import outputs
from stacks.bridge import BridgeStack
from stacks.config.fields import Environment
from stacks.data import DataStack
from stacks.events import EventsStack
from stacks.identity import IdentityStack
from stacks.operations import OperationsStack
from stacks.packaging import Asset
from stacks.routes import RoutesStack


@dataclass(frozen=True)
class Stacks:
    """The stacks of an environment, in deployment order; `bridge` only where the environment has one."""

    data: DataStack
    identity: IdentityStack
    events: EventsStack
    routes: RoutesStack
    operations: OperationsStack
    bridge: BridgeStack | None = None

    def all(self) -> tuple[Stack, ...]:
        """Return every stack."""
        bridge = (self.bridge,) if self.bridge is not None else ()
        return (self.data, self.identity, self.events, self.routes, self.operations, *bridge)


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
    operations.add_stack_dependency(routes)  # its metric filters read the log groups of the functions
    bridge = None
    if environment.cutover.bridge:
        bridge = BridgeStack(scope, environment, asset=asset, messages_stream_arn=data.messages_stream_arn)
        bridge.add_stack_dependency(routes)
    stacks = Stacks(data, identity, events, routes, operations, bridge)
    if revision is not None:
        for stack in stacks.all():
            CfnOutput(stack, outputs.REVISION, value=revision, description="Deployed revision, from git")
    return stacks
