"""Creates the stacks of one environment; app.py and the tests call it."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Stack
from constructs import Construct

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


def compose(scope: Construct, environment: Environment, asset: Asset) -> Stacks:
    """Create the stacks of an environment.

    References between stacks give the deployment order. Stacks that refer to tables only by name depend on Data
    explicitly.
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
    operations = OperationsStack(scope, environment, events_api_id=events.api_id, http_api_id=routes.api.api_id)
    identity.add_stack_dependency(data)
    events.add_stack_dependency(data)
    operations.add_stack_dependency(data)
    return Stacks(data, identity, events, routes, operations)
