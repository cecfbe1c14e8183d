"""SQS queues with the settings that every queue has, and their event source mappings."""

from __future__ import annotations

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.function import HandlerFunction
from stacks.naming import Names
from stacks.policy import nag

_VISIBILITY_FACTOR: Final = 6  # AWS Lambda: using Lambda with Amazon SQS, six times the function's timeout


def create_queue(
    scope: Construct,
    name: str,
    names: Names,
    *,
    retention: Duration,
    visibility_timeout: Duration | None = None,
    dead_letter_queue: sqs.DeadLetterQueue | None = None,
) -> sqs.Queue:
    """Create the queue `PantherKolab-{name}-{environment}`, encrypted and closed to plain http."""
    return sqs.Queue(
        scope,
        name,
        queue_name=names.of(name),
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=retention,
        visibility_timeout=visibility_timeout,
        dead_letter_queue=dead_letter_queue,
    )


def create_dead_letter_queue(scope: Construct, name: str, names: Names, *, of_queue: bool = True) -> sqs.Queue:
    """Create a dead-letter queue; it keeps a message for 14 days, the longest retention of SQS.

    Args:
        of_queue: whether a queue or a function names it; otherwise a stream or an event rule writes to it.
    """
    queue = create_queue(scope, name, names, retention=Duration.days(14))
    nag.acknowledge_dead_letter_queue(queue)
    if not of_queue:
        nag.acknowledge_dead_letters_without_source_queue(queue)
    return queue


def visibility_timeout(function_seconds: int) -> Duration:
    """Return how long a message stays hidden while a function with this timeout processes it."""
    return Duration.seconds(_VISIBILITY_FACTOR * function_seconds)


def add_queue_source(
    scope: Construct,
    construct_id: str,
    *,
    queue: sqs.IQueue,
    function: HandlerFunction,
    batch_size: int,
    max_concurrency: int,
) -> None:
    """Invoke a function with a queue's messages; its response lists the messages that must be delivered again.

    Args:
        batch_size: most messages of one invocation.
        max_concurrency: most concurrent invocations.
    """
    mapping = lambda_.CfnEventSourceMapping(
        scope,
        construct_id,
        function_name=function.target.function_arn,
        event_source_arn=queue.queue_arn,
        batch_size=batch_size,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=max_concurrency),
    )
    nag.acknowledge_dead_letters_of_queue(mapping)
    nag.acknowledge_dead_letters_of_event_source(function.function)
