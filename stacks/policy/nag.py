"""cdk-nag: the rule packs that check every synthesis, and the acknowledgements of findings that are accepted.

A finding without an acknowledgement stops the synthesis. Each acknowledgement names its finding exactly and gives the
reason; it is called where the resource is created. The tests fail on an acknowledgement whose finding does not occur.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import aws_cdk as cdk
import cdk_nag
from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct

_ASYNC_FAILURE_DESTINATION: Final = "Serverless::Serverless-LambdaAsyncFailureDestination"


def add_rules(app: cdk.App) -> None:
    """Check the app with the rule packs AwsSolutions and Serverless when it is synthesised."""
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app), cdk_nag.ServerlessChecks(app))


def acknowledge_log_stream_wildcard(construct: IConstruct, log_group: str) -> None:
    """Accept a role's wildcard over the streams of one log group, written as in the finding."""
    streams = f"arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:{log_group}:log-stream:*"
    _acknowledge(
        construct,
        f"AwsSolutions::AwsSolutions-IAM5[Resource::{streams}]",
        "The writing service chooses the names of its log streams; the log group is named exactly.",
    )


def acknowledge_list_streams_wildcard(construct: IConstruct) -> None:
    """Accept a role's `*` for dynamodb:ListStreams."""
    reason = "dynamodb:ListStreams supports no resource; reading is allowed on one stream only."
    _acknowledge(construct, "AwsSolutions::AwsSolutions-IAM5[Resource::*]", reason)
    _acknowledge(construct, "Serverless::Serverless-LambdaStarPermissions", reason)


def acknowledge_meeting_wildcard(construct: IConstruct) -> None:
    """Accept a role's wildcard over the account's Chime SDK meetings, written as in the finding."""
    _acknowledge(
        construct,
        "AwsSolutions::AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:chime:*:<AWS::AccountId>:meeting/*]",
        "Chime chooses the id of a meeting when it creates it, and checks CreateMeeting against meeting/* itself; the "
        "actions are listed one by one.",
    )


def acknowledge_resource_wildcard(construct: IConstruct, resource: str, reason: str) -> None:
    """Accept a role's wildcard over one resource, written as in the finding; its reason stands with the statement."""
    _acknowledge(construct, f"AwsSolutions::AwsSolutions-IAM5[Resource::{resource}]", reason)


def acknowledge_function_defaults(construct: IConstruct) -> None:
    """Accept the runtime and the missing X-Ray tracing of every function."""
    runtime = "Python 3.13 is the newest runtime that the whole test suite runs on."
    _acknowledge(construct, "AwsSolutions::AwsSolutions-L1", runtime)
    _acknowledge(construct, "Serverless::Serverless-LambdaLatestVersion", runtime)
    _acknowledge(
        construct,
        "Serverless::Serverless-LambdaTracing",
        "Every request logs the milliseconds of each stage; X-Ray would add start-up time and a permission on *.",
    )


def acknowledge_synchronous_caller(construct: IConstruct, caller: str) -> None:
    """Accept a function without a dead-letter queue, because its caller waits for the response."""
    _acknowledge(
        construct,
        "Serverless::Serverless-LambdaDLQ",
        f"{caller} waits for the response and receives the error; Lambda does not retry a synchronous invocation.",
    )


def acknowledge_dead_letters_of_event_source(construct: IConstruct) -> None:
    """Accept a function without a dead-letter queue, because its event source has one."""
    _acknowledge(
        construct,
        "Serverless::Serverless-LambdaDLQ",
        "The event source retries and has a dead-letter queue; a function's own serves asynchronous invocations only.",
    )


def acknowledge_dead_letters_of_queue(construct: IConstruct) -> None:
    """Accept an event source mapping without a failure destination, because its queue has a dead-letter queue."""
    _acknowledge(
        construct,
        "Serverless::Serverless-LambdaEventSourceMappingDestination",
        "Lambda supports failure destinations for streams only; this source is a queue with a dead-letter queue.",
    )


def acknowledge_queue_of_old_server(construct: IConstruct) -> None:
    """Accept that the queue of the old Socket.IO server has no dead-letter queue."""
    reason = (
        "The old server emits a message or drops it; a message that was not emitted expires. Nothing is lost with it: "
        "it is stored in the table Messages, which the old clients read when they load a conversation."
    )
    _acknowledge(construct, "AwsSolutions::AwsSolutions-SQS3", reason)
    _acknowledge(construct, "Serverless::Serverless-SQSRedrivePolicy", reason)


def acknowledge_dropped_bridge_batches(source: IConstruct, function: IConstruct) -> None:
    """Accept a stream and its function without dead-letter queues, because the table shows what was not bridged."""
    reason = (
        "A message that the bridge did not number stays in the table Messages without a number: the command "
        "ops.cutover status counts it, and backfill numbers it. A dead letter would only repeat its key."
    )
    _acknowledge(source, "Serverless::Serverless-LambdaEventSourceMappingDestination", reason)
    _acknowledge(function, "Serverless::Serverless-LambdaDLQ", reason)


def acknowledge_next_scheduled_run(schedule: IConstruct, function: IConstruct) -> None:
    """Accept a schedule and its function without dead-letter queues, because the next run does the same work."""
    reason = "It runs every minute and reads the same index; the next run does the work of a lost one."
    _acknowledge(schedule, "Serverless::Serverless-EventBusDLQ", reason)
    _acknowledge(function, "Serverless::Serverless-LambdaDLQ", reason)


def acknowledge_next_canary_run(function: IConstruct, schedule: IConstruct | None) -> None:
    """Accept the canary and its schedule, if it has one, without dead-letter queues."""
    reason = "A lost run is replaced by the next one; the alarm CanaryFails reports runs that do not take place."
    _acknowledge(function, "Serverless::Serverless-LambdaDLQ", reason)
    if schedule is not None:
        _acknowledge(schedule, "Serverless::Serverless-EventBusDLQ", reason)


def acknowledge_dead_letter_queue(construct: IConstruct) -> None:
    """Accept a dead-letter queue that has no dead-letter queue itself."""
    _acknowledge(
        construct,
        "Serverless::Serverless-SQSRedrivePolicy",
        "It is the dead-letter queue; an alarm reports its first message, and an operator redrives it.",
    )


def acknowledge_dead_letters_without_source_queue(construct: IConstruct) -> None:
    """Accept a dead-letter queue that no queue names, because a stream or an event rule writes to it."""
    _acknowledge(
        construct,
        "AwsSolutions::AwsSolutions-SQS3",
        "It is a dead-letter queue itself, of a stream or an event rule, which the check does not see.",
    )


def acknowledge_dead_letters_of_events(construct: IConstruct) -> None:
    """Accept a function whose asynchronous events have no failure destination, because it has a dead-letter queue."""
    _acknowledge(
        construct,
        _ASYNC_FAILURE_DESTINATION,
        "The function has a dead-letter queue; its messages are the events themselves, which can be sent again.",
    )


def acknowledge_dropped_events(construct: IConstruct) -> None:
    """Accept a scheduled function whose asynchronous events have no failure destination."""
    _acknowledge(
        construct,
        _ASYNC_FAILURE_DESTINATION,
        "A schedule invokes it again within minutes: the next event replaces a lost one, and a late one must not run.",
    )


def acknowledge_no_point_in_time_recovery(construct: IConstruct, environment: str) -> None:
    """Accept a table without point-in-time recovery."""
    _acknowledge(
        construct,
        "AwsSolutions::AwsSolutions-DDB3",
        f"The data of {environment} may be lost; the settings require recovery in every protected environment.",
    )


def acknowledge_backup_wildcards(construct: IConstruct, tables: Iterable[str]) -> None:
    """Accept a role's wildcards over the backups of each table."""
    for table in tables:
        backups = f"arn:<AWS::Partition>:dynamodb:<AWS::Region>:<AWS::AccountId>:table/{table}/backup/*"
        _acknowledge(
            construct,
            f"AwsSolutions::AwsSolutions-IAM5[Resource::{backups}]",
            "DynamoDB chooses the id of a backup; the table is named exactly.",
        )


def acknowledge_snap_start_alias(construct: IConstruct) -> None:
    """Accept CDK's reminder that SnapStart needs a published version."""
    _acknowledge(
        construct,
        "Annotation::@aws-cdk/aws-lambda:snapStartRequirePublish",
        "The alias of this function publishes a version with every change, and the API invokes the alias.",
    )


def acknowledge_email_subscription(construct: IConstruct) -> None:
    """Accept an e-mail subscription without a dead-letter queue."""
    _acknowledge(
        construct,
        "Serverless::Serverless-SNSRedrivePolicy",
        "SNS retries e-mail itself; after a lost one the alarm still shows its state in CloudWatch.",
    )


def acknowledge_user_pool_plan(construct: IConstruct) -> None:
    """Accept optional multi-factor authentication and the plan LITE of the user pool."""
    _acknowledge(
        construct,
        "AwsSolutions::AwsSolutions-COG2",
        "Students may turn on an authenticator app, but not all have one, and SMS costs more than the whole product.",
    )
    _acknowledge(
        construct,
        "AwsSolutions::AwsSolutions-COG8",
        "The product uses no feature of the higher plans, and they charge for every monthly user.",
    )


def _acknowledge(construct: IConstruct, finding: str, reason: str) -> None:
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))
