"""Asynchronous delivery: the delivery queue, its dead-letter queue, and the functions deliver, relay and sweep."""

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

from contract import limits
from handlers.settings import DeliverSettings, RelaySettings, SweepSettings
from stacks.config.fields import Environment
from stacks.constructs.function import NO_RETRIES, HandlerFunction
from stacks.constructs.queues import add_queue_source, create_dead_letter_queue, create_queue, visibility_timeout
from stacks.naming import DELIVERY_DEAD_LETTERS, DELIVERY_QUEUE, RELAY_DEAD_LETTERS, Names
from stacks.packaging import Asset
from stacks.policy import nag
from stacks.policy.statements import allow_receive, allow_send

_DELIVER_SECONDS: Final = 60
_RELAY_SECONDS: Final = 30
_SWEEP_SECONDS: Final = 50  # ends before the next run starts
_QUEUE_BATCH: Final = 5
_STREAM_BATCH: Final = 100
_STREAM_RETRIES: Final = 10
_STREAM_AGE_SECONDS: Final = 3_600  # the sweep enqueues such a record within minutes


class Delivery(Construct):
    """The queue and its functions.

    `deliver` publishes the events of the queue. `relay` reads the Outbox stream and enqueues events that their request
    did not publish. `sweep` runs every minute and enqueues events that the relay missed.
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
        self.dead_letters = create_dead_letter_queue(self, DELIVERY_DEAD_LETTERS, self._names)
        self.relay_dead_letters = create_dead_letter_queue(self, RELAY_DEAD_LETTERS, self._names, of_queue=False)
        self.queue = create_queue(
            self,
            DELIVERY_QUEUE,
            self._names,
            retention=Duration.days(4),
            visibility_timeout=visibility_timeout(_DELIVER_SECONDS),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=limits.DELIVERY_RECEIVES_MAX
            ),
        )
        self._deliver(events_api_id, events_http_endpoint)
        self._relay(outbox_stream_arn)
        self._sweep()

    @property
    def allow_enqueue(self) -> iam.PolicyStatement:
        """Return the IAM statement that lets a function enqueue a delivery."""
        return allow_send("Enqueue", self.queue)

    def _deliver(self, events_api_id: str, events_http_endpoint: str) -> None:
        deliver = HandlerFunction(
            self,
            "Deliver",
            environment=self._environment,
            asset=self._asset,
            settings=DeliverSettings,
            values={"EVENTS_HTTP_ENDPOINT": events_http_endpoint, "DELIVERY_QUEUE_URL": self.queue.queue_url},
            timeout=Duration.seconds(_DELIVER_SECONDS),
            description="Publishes the events of the delivery queue",
            allow=[allow_receive(self.queue), self.allow_enqueue],
            events_api_id=events_api_id,
        )
        add_queue_source(
            self,
            "DeliverSource",
            queue=self.queue,
            function=deliver,
            batch_size=_QUEUE_BATCH,
            max_concurrency=limits.DELIVERY_INVOCATIONS_MAX,
        )

    def _relay(self, stream_arn: str) -> None:
        read_stream = iam.PolicyStatement(
            sid="ReadStream",
            actions=["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
            resources=[stream_arn],
        )
        list_streams = iam.PolicyStatement(sid="ListStreams", actions=["dynamodb:ListStreams"], resources=["*"])
        relay = HandlerFunction(
            self,
            "Relay",
            environment=self._environment,
            asset=self._asset,
            settings=RelaySettings,
            values={"DELIVERY_QUEUE_URL": self.queue.queue_url},
            timeout=Duration.seconds(_RELAY_SECONDS),
            description="Enqueues events that their request did not publish",
            allow=[read_stream, list_streams, self.allow_enqueue, allow_send("GiveUp", self.relay_dead_letters)],
        )
        nag.acknowledge_list_streams_wildcard(relay.role)
        nag.acknowledge_dead_letters_of_event_source(relay.function)
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
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(
                    destination=self.relay_dead_letters.queue_arn
                )
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
            timeout=Duration.seconds(_SWEEP_SECONDS),
            description="Every minute: enqueues events that are still undelivered",
            allow=[self.allow_enqueue],
            asynchronous=NO_RETRIES,
        )
        schedule = events.Rule(
            self,
            "SweepSchedule",
            rule_name=self._names.of("Sweep"),
            schedule=events.Schedule.rate(Duration.minutes(1)),
            targets=[targets.LambdaFunction(sweep.target, retry_attempts=0, max_event_age=Duration.minutes(1))],
        )
        nag.acknowledge_next_scheduled_run(schedule, sweep.function)
