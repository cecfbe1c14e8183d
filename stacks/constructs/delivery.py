"""Delivery: the queue of what is still to be published, its dead letters, and the three functions that keep at it."""

from __future__ import annotations

import json
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from handlers.settings import DeliverSettings, RelaySettings, SweepSettings
from stacks.config.fields import Environment
from stacks.constructs.function import HandlerFunction
from stacks.constructs.queue import dead_letters, feed, may_receive, may_send, queue, visibility
from stacks.naming import Names
from stacks.packaging import Asset
from stacks.policy import acknowledgements as reasons

QUEUE: Final = "Delivery"
DEAD_LETTERS: Final = "DeliveryDeadLetters"

_DELIVER_SECONDS: Final = 60
_RECEIVES_MAX: Final = 5
_DELIVER_CONCURRENCY: Final = 20
_QUEUE_BATCH: Final = 5
_STREAM_BATCH: Final = 100
_STREAM_RETRIES: Final = 10
_STREAM_AGE_SECONDS: Final = 3_600  # the sweep has long taken over by then


class Delivery(Construct):
    """The queue and its functions.

    `deliver` publishes what the queue hands it; `relay` reads the Outbox stream and enqueues what its sender left;
    `sweep` looks once a minute for what even the relay lost.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        asset: Asset,
        events_api_id: str,
        events_http_endpoint: str,
        outbox_stream_arn: str,
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self._asset = asset
        self._names = Names(environment.name)
        self.dead_letters = dead_letters(self, DEAD_LETTERS, self._names)
        self.queue = queue(
            self,
            QUEUE,
            self._names,
            retention=Duration.days(4),
            visibility_timeout=visibility(_DELIVER_SECONDS),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=_RECEIVES_MAX),
        )
        self._deliver(events_api_id, events_http_endpoint)
        self._relay(outbox_stream_arn)
        self._sweep()

    @property
    def sending(self) -> iam.PolicyStatement:
        """Return what a function needs to enqueue a delivery."""
        return may_send("Enqueue", self.queue)

    def _deliver(self, events_api_id: str, events_http_endpoint: str) -> None:
        deliver = HandlerFunction(
            self,
            "Deliver",
            environment=self._environment,
            asset=self._asset,
            settings=DeliverSettings,
            values={"EVENTS_HTTP_ENDPOINT": events_http_endpoint},
            timeout=Duration.seconds(_DELIVER_SECONDS),
            description="Publishes what the delivery queue hands it",
            statements=[may_receive(self.queue)],
            events_api_id=events_api_id,
        )
        feed(
            self,
            "DeliverSource",
            source=self.queue,
            to=deliver,
            batch=_QUEUE_BATCH,
            concurrency=_DELIVER_CONCURRENCY,
        )

    def _relay(self, stream_arn: str) -> None:
        reading = iam.PolicyStatement(
            sid="ReadStream",
            actions=["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
            resources=[stream_arn],
        )
        listing = iam.PolicyStatement(sid="ListStreams", actions=["dynamodb:ListStreams"], resources=["*"])
        relay = HandlerFunction(
            self,
            "Relay",
            environment=self._environment,
            asset=self._asset,
            settings=RelaySettings,
            values={"DELIVERY_QUEUE_URL": self.queue.queue_url},
            timeout=Duration.seconds(30),
            description="Offers events, which their sender left behind, to the delivery queue",
            statements=[reading, listing, self.sending, may_send("GiveUp", self.dead_letters)],
        )
        reasons.list_streams(relay.role)
        reasons.source_has_dead_letters(relay.function)
        lambda_.CfnEventSourceMapping(
            self,
            "RelaySource",
            function_name=relay.target.function_arn,
            event_source_arn=stream_arn,
            starting_position="TRIM_HORIZON",
            batch_size=_STREAM_BATCH,
            bisect_batch_on_function_error=True,
            maximum_retry_attempts=_STREAM_RETRIES,
            maximum_record_age_in_seconds=_STREAM_AGE_SECONDS,
            filter_criteria=lambda_.CfnEventSourceMapping.FilterCriteriaProperty(
                filters=[
                    lambda_.CfnEventSourceMapping.FilterProperty(
                        pattern=json.dumps({"eventName": ["INSERT"]}, separators=(",", ":"))
                    )
                ]
            ),
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=self.dead_letters.queue_arn)
            ),
        )

    def _sweep(self) -> None:
        sweep = HandlerFunction(
            self,
            "Sweep",
            environment=self._environment,
            asset=self._asset,
            settings=SweepSettings,
            values={"DELIVERY_QUEUE_URL": self.queue.queue_url},
            timeout=Duration.seconds(50),  # less than the minute to the next run
            description="Looks once a minute for events that nobody delivered",
            statements=[self.sending],
        )
        schedule = events.Rule(
            self,
            "SweepSchedule",
            rule_name=self._names.of("Sweep"),
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[targets.LambdaFunction(sweep.target, retry_attempts=0, max_event_age=Duration.minutes(1))],
        )
        reasons.runs_again(schedule, sweep.function)
