"""Queues as the product has them: encrypted, refusing plain http, and what a function needs to use one."""

from __future__ import annotations

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.function import HandlerFunction
from stacks.naming import Names
from stacks.policy import acknowledgements as reasons

_TIMEOUTS_HIDDEN: Final = 6  # AWS Lambda: using Lambda with Amazon SQS, six times the function's timeout


def queue(
    scope: Construct,
    what: str,
    names: Names,
    *,
    retention: Duration,
    visibility_timeout: Duration | None = None,
    dead_letter_queue: sqs.DeadLetterQueue | None = None,
) -> sqs.Queue:
    """Return a new queue `PantherKolab-{what}-{environment}`."""
    return sqs.Queue(
        scope,
        what,
        queue_name=names.of(what),
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=retention,
        visibility_timeout=visibility_timeout,
        dead_letter_queue=dead_letter_queue,
    )


def dead_letters(scope: Construct, what: str, names: Names) -> sqs.Queue:
    """Return a new queue for what failed for good; it keeps a message as long as SQS can."""
    made = queue(scope, what, names, retention=Duration.days(14))
    reasons.last_stop(made)
    return made


def visibility(function_seconds: int) -> Duration:
    """Return how long a message is hidden while a function with a timeout works on it."""
    return Duration.seconds(_TIMEOUTS_HIDDEN * function_seconds)


def may_send(sid: str, to: sqs.IQueue) -> iam.PolicyStatement:
    """Allow sending to one queue."""
    return iam.PolicyStatement(sid=sid, actions=["sqs:SendMessage"], resources=[to.queue_arn])


def may_receive(source: sqs.IQueue) -> iam.PolicyStatement:
    """Allow what Lambda's poller does with the function's role (AWS Lambda: permissions to read from a queue)."""
    actions = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    return iam.PolicyStatement(
        sid="Receive", actions=[f"sqs:{action}" for action in actions], resources=[source.queue_arn]
    )


def feed(
    scope: Construct, construct_id: str, *, source: sqs.IQueue, to: HandlerFunction, batch: int, concurrency: int
) -> None:
    """Hand a queue's messages to a function, which names those that must come again.

    Args:
        batch: most messages of one invocation.
        concurrency: most invocations at once.
    """
    mapping = lambda_.CfnEventSourceMapping(
        scope,
        construct_id,
        function_name=to.target.function_arn,
        event_source_arn=source.queue_arn,
        batch_size=batch,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config=lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=concurrency),
    )
    reasons.queue_has_dead_letters(mapping)
    reasons.source_has_dead_letters(to.function)
