"""IAM policy statements, each for named actions on named resources."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs

from contract.canary import credentials_parameter
from stacks.naming import Names
from stacks.policy import arns
from stacks.policy.permissions import FunctionPermissions, TablePermissions


def allow_log_writes(log_group: str) -> iam.PolicyStatement:
    """Allow writing to the streams of one log group."""
    return iam.PolicyStatement(
        sid="Log", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[arns.log_streams_arn(log_group)]
    )


def allow_table_access(names: Names, permissions: TablePermissions) -> list[iam.PolicyStatement]:
    """Allow the listed actions, in one statement per table."""
    return [
        iam.PolicyStatement(
            sid=table.entity,
            actions=[f"dynamodb:{action}" for action in actions],
            resources=[arns.table_arn(table, names.environment)],
        )
        for table, actions in permissions.items()
    ]


def allow_index_queries(names: Names, permissions: FunctionPermissions) -> list[iam.PolicyStatement]:
    """Allow queries of a function's indexes, in one statement per index."""
    return [
        iam.PolicyStatement(
            sid=f"{table.entity}{index.name}",
            actions=["dynamodb:Query"],
            resources=[arns.index_arn(table, index, names.environment)],
        )
        for table, index in permissions.indexes
    ]


def allow_publish(permissions: FunctionPermissions, events_api_id: str | None) -> list[iam.PolicyStatement]:
    """Allow publishing to a function's namespaces.

    Raises:
        ValueError: the permissions name namespaces, but the id of the Event API is missing.
    """
    if not permissions.publish:
        return []
    if events_api_id is None:
        raise ValueError("a function that publishes needs the id of the Event API")
    return [
        iam.PolicyStatement(
            sid="Publish",
            actions=["appsync:EventPublish"],
            resources=[arns.namespace_arn(events_api_id, namespace) for namespace in permissions.publish],
        )
    ]


def allow_meetings(permissions: FunctionPermissions) -> list[iam.PolicyStatement]:
    """Allow a function's actions on the account's Chime SDK meetings."""
    if not permissions.meetings:
        return []
    return [
        iam.PolicyStatement(
            sid="Meetings",
            actions=[f"chime:{action}" for action in permissions.meetings],
            resources=[arns.meetings_arn()],
        )
    ]


def allow_credentials(names: Names, permissions: FunctionPermissions) -> list[iam.PolicyStatement]:
    """Allow reading the canary's credentials.

    The parameter is encrypted with the key `aws/ssm`, whose policy lets SSM decrypt for every principal of the account
    that may read the parameter (AWS Systems Manager: how SSM uses KMS).
    """
    if not permissions.credentials:
        return []
    parameter = arns.parameter_arn(credentials_parameter(names.environment))
    return [iam.PolicyStatement(sid="Credentials", actions=["ssm:GetParameter"], resources=[parameter])]


def allow_send(sid: str, queue: sqs.IQueue) -> iam.PolicyStatement:
    """Allow sending to one queue."""
    return iam.PolicyStatement(sid=sid, actions=["sqs:SendMessage"], resources=[queue.queue_arn])


def allow_receive(queue: sqs.IQueue) -> iam.PolicyStatement:
    """Allow consuming one queue.

    Lambda's poller uses the function's role (AWS Lambda: using Lambda with Amazon SQS); the function itself changes the
    visibility of a message that it could not process.
    """
    actions = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility")
    return iam.PolicyStatement(
        sid="Receive", actions=[f"sqs:{action}" for action in actions], resources=[queue.queue_arn]
    )
