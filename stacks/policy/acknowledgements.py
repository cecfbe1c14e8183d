"""Why a finding of cdk-nag is accepted: one function for each kind, called where the resource is made.

A finding is named exactly; the tests fail on an acknowledgement whose finding no longer occurs.
"""

from __future__ import annotations

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def log_streams(construct: IConstruct, log_group: str) -> None:
    """Accept the wildcard over the streams of one log group, as the finding spells its ARN."""
    streams = f"arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:{log_group}:log-stream:*"
    _accept(
        construct,
        f"AwsSolutions::AwsSolutions-IAM5[Resource::{streams}]",
        "The writing service names its log streams itself, a new one at will; the log group is named exactly.",
    )


def list_streams(construct: IConstruct) -> None:
    """Accept the wildcard that listing streams needs."""
    reason = "dynamodb:ListStreams knows no resource; reading is allowed on the one stream only."
    _accept(construct, "AwsSolutions::AwsSolutions-IAM5[Resource::*]", reason)
    _accept(construct, "Serverless::Serverless-LambdaStarPermissions", reason)


def meetings(construct: IConstruct) -> None:
    """Accept the wildcard over the account's Chime SDK meetings, as the finding spells its ARN."""
    _accept(
        construct,
        "AwsSolutions::AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:chime:*:<AWS::AccountId>:meeting/*]",
        "Chime makes a meeting's id when it makes the meeting, and checks CreateMeeting against meeting/* itself; the "
        "actions are listed one by one.",
    )


def function(construct: IConstruct) -> None:
    """Accept what every function of this product does differently."""
    newest = "Python 3.13 is the newest version that the whole test suite runs on; 3.14 comes with its own test run."
    _accept(construct, "AwsSolutions::AwsSolutions-L1", newest)
    _accept(construct, "Serverless::Serverless-LambdaLatestVersion", newest)
    _accept(
        construct,
        "Serverless::Serverless-LambdaTracing",
        "Every request logs the milliseconds of each stage; X-Ray would add start-up time and a right on everything.",
    )


def caller_waits(construct: IConstruct, caller: str) -> None:
    """Accept a function without dead letters, since its caller waits for the answer."""
    _accept(
        construct,
        "Serverless::Serverless-LambdaDLQ",
        f"{caller} waits for the answer and gets the error; Lambda never retries such a call, nothing could be lost.",
    )


def source_has_dead_letters(construct: IConstruct) -> None:
    """Accept a function without dead letters of its own, since its event source has them."""
    _accept(
        construct,
        "Serverless::Serverless-LambdaDLQ",
        "Its event source retries and has the dead-letter queue; a function's own only serves asynchronous calls.",
    )


def queue_has_dead_letters(construct: IConstruct) -> None:
    """Accept an event source mapping without a destination, since its queue has dead letters."""
    _accept(
        construct,
        "Serverless::Serverless-LambdaEventSourceMappingDestination",
        "Lambda takes destinations for streams only; this source is a queue, and has a dead-letter queue itself.",
    )


def runs_again(schedule: IConstruct, run: IConstruct) -> None:
    """Accept a schedule and its function without dead letters, since the next run does the same."""
    reason = "It runs every minute and looks for the same forgotten events; a lost run is made up for by the next."
    _accept(schedule, "Serverless::Serverless-EventBusDLQ", reason)
    _accept(run, "Serverless::Serverless-LambdaDLQ", reason)


def last_stop(construct: IConstruct) -> None:
    """Accept a dead-letter queue without a dead-letter queue."""
    _accept(
        construct,
        "Serverless::Serverless-SQSRedrivePolicy",
        "It is the dead-letter queue; an alarm tells people of the first message, who redrive it.",
    )


def no_recovery(construct: IConstruct, environment: str) -> None:
    """Accept a table without point-in-time recovery."""
    _accept(
        construct,
        "AwsSolutions::AwsSolutions-DDB3",
        f"The data of {environment} may be lost; the settings refuse this in every environment that is kept.",
    )


def version_follows(construct: IConstruct) -> None:
    """Accept CDK's reminder that a snapshot needs a published version."""
    _accept(
        construct,
        "Annotation::@aws-cdk/aws-lambda:snapStartRequirePublish",
        "The alias beside it publishes a version with every change, and is what the API calls.",
    )


def mail_may_fail(construct: IConstruct) -> None:
    """Accept an e-mail subscription without dead letters."""
    _accept(
        construct,
        "Serverless::Serverless-SNSRedrivePolicy",
        "SNS retries mail itself; a lost one hides nothing, since the alarm stays red in CloudWatch.",
    )


def user_pool(construct: IConstruct) -> None:
    """Accept what a user pool of this product does differently."""
    _accept(
        construct,
        "AwsSolutions::AwsSolutions-COG2",
        "Students may turn on an authenticator app, but not all have one, and SMS costs more than the whole product.",
    )
    _accept(
        construct,
        "AwsSolutions::AwsSolutions-COG8",
        "Nothing here uses what the higher plans add, and they charge for every monthly user.",
    )


def _accept(construct: IConstruct, finding: str, reason: str) -> None:
    Validations.of(construct).acknowledge(Acknowledgment(id=finding, reason=reason))
