"""The canary function and its schedule."""

from __future__ import annotations

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from contract.canary import credentials_parameter
from handlers.settings import CanarySettings
from stacks.config.fields import Environment
from stacks.constructs.function import NO_RETRIES, HandlerFunction
from stacks.constructs.user_pool import UserPoolReference
from stacks.monitoring.log_metrics import metric_namespace
from stacks.naming import Names
from stacks.packaging import Asset
from stacks.policy import nag

_TIMEOUT: Final = Duration.seconds(55)
"""Ends before the next run of a schedule of one minute; a healthy run takes a few seconds."""


class Canary(Construct):
    """The function that runs the whole product as two users of its own.

    Args:
        environment: the environment it belongs to.
        asset: the Lambda package.
        pool: the user pool; its last app client is the canary's.
        api_address: address of the HTTP API.
        endpoints: HTTP and WebSocket endpoint of the Event API.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        asset: Asset,
        pool: UserPoolReference,
        api_address: str,
        endpoints: tuple[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        names = Names(environment.name)
        http, realtime = endpoints
        canary = HandlerFunction(
            self,
            "Run",
            environment=environment,
            asset=asset,
            settings=CanarySettings,
            values={
                "API_ADDRESS": api_address,
                "EVENTS_HTTP_ENDPOINT": http,
                "EVENTS_REALTIME_ENDPOINT": realtime,
                "CLIENT_ID": pool.client_ids[-1],
                "POOL_REGION": pool.region,
                "CREDENTIALS_PARAMETER": credentials_parameter(environment.name),
                "METRIC_NAMESPACE": metric_namespace(names),
            },
            timeout=_TIMEOUT,
            description="Signs in, sends, receives and calls as two users of its own; fails where a step fails",
            asynchronous=NO_RETRIES,
        )
        schedule = self._schedule(canary, environment.canary.minutes, names) if environment.canary.minutes else None
        nag.acknowledge_next_canary_run(canary.function, schedule)

    def _schedule(self, canary: HandlerFunction, minutes: int, names: Names) -> events.Rule:
        return events.Rule(
            self,
            "Schedule",
            rule_name=names.of("Canary"),
            schedule=events.Schedule.rate(Duration.minutes(minutes)),
            targets=[targets.LambdaFunction(canary.target, retry_attempts=0, max_event_age=Duration.minutes(1))],
        )
