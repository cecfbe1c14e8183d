"""The Bridge stack: for the time in which the old Socket.IO server and the backend serve users side by side.

It exists only in environments with `cutover.bridge = true`, and is deleted with `cdk destroy` at the end of the
cut-over (docs/how-to/migrate-from-socketio.md). No other stack refers to it.
"""

from __future__ import annotations

import json
from typing import Final

from aws_cdk import Aws, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from handlers.settings import BridgeSettings
from stacks import outputs
from stacks.config.fields import Environment
from stacks.constructs.function import HandlerFunction
from stacks.constructs.stack import EnvironmentStack
from stacks.naming import DELIVERY_QUEUE, OLD_SERVER_QUEUE
from stacks.packaging import Asset
from stacks.policy import nag
from stacks.policy.statements import allow_send

_SECONDS: Final = 60
_BATCH: Final = 100
_RETRIES: Final = 30
"""Retries of a batch, halved each time: some minutes. An item that fails still then has no number; `ops.cutover status`
counts it, and `backfill` numbers it."""
_RETENTION: Final = Duration.days(4)
"""How long the old server may be away before its clients must reload to see the backend's messages."""
_VISIBILITY: Final = Duration.seconds(30)
"""How long the old server may take to emit a batch. After its death, the next process continues after this time."""


class BridgeStack(EnvironmentStack):
    """The function that the stream of the table Messages invokes, and the queue that the old server reads.

    Args:
        messages_stream_arn: the stream.
    """

    def __init__(self, scope: Construct, environment: Environment, *, asset: Asset, messages_stream_arn: str) -> None:
        super().__init__(scope, "Bridge", environment, "bridge to the old Socket.IO server")
        self.queue = self._queue()
        bridge = self._function(environment, asset, messages_stream_arn)
        source = lambda_.CfnEventSourceMapping(
            self,
            "Source",
            function_name=bridge.target.function_arn,
            event_source_arn=messages_stream_arn,
            starting_position="TRIM_HORIZON",
            batch_size=_BATCH,
            bisect_batch_on_function_error=True,
            maximum_retry_attempts=_RETRIES,
            filter_criteria=lambda_.CfnEventSourceMapping.FilterCriteriaProperty(
                filters=[
                    lambda_.CfnEventSourceMapping.FilterProperty(
                        pattern=json.dumps({"eventName": ["INSERT"]}, separators=(",", ":"))
                    )
                ]
            ),
        )
        nag.acknowledge_dropped_bridge_batches(source, bridge.function)
        self.add_output(outputs.OLD_SERVER_QUEUE_URL, self.queue.queue_url)

    def _queue(self) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            OLD_SERVER_QUEUE,
            queue_name=f"{self.names.of(OLD_SERVER_QUEUE)}.fifo",
            fifo=True,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=_RETENTION,
            visibility_timeout=_VISIBILITY,
        )
        nag.acknowledge_queue_of_old_server(queue)
        return queue

    def _function(self, environment: Environment, asset: Asset, stream_arn: str) -> HandlerFunction:
        delivery_queue = sqs.Queue.from_queue_arn(
            self,
            "DeliveryQueue",
            f"arn:{Aws.PARTITION}:sqs:{Aws.REGION}:{Aws.ACCOUNT_ID}:{self.names.of(DELIVERY_QUEUE)}",
        )
        bridge = HandlerFunction(
            self,
            "Function",
            environment=environment,
            asset=asset,
            settings=BridgeSettings,
            values={
                "DELIVERY_QUEUE_URL": delivery_queue.queue_url,
                "OLD_SERVER_QUEUE_URL": self.queue.queue_url,
                "FANOUT_LIMIT": environment.delivery.fanout_limit,
            },
            timeout=Duration.seconds(_SECONDS),
            description="Numbers messages of the old server, and queues messages for it",
            allow=[
                iam.PolicyStatement(
                    sid="ReadStream",
                    actions=["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
                    resources=[stream_arn],
                ),
                iam.PolicyStatement(sid="ListStreams", actions=["dynamodb:ListStreams"], resources=["*"]),
                allow_send("Enqueue", delivery_queue),
                allow_send("OldServer", self.queue),
            ],
        )
        nag.acknowledge_list_streams_wildcard(bridge.role)
        return bridge
