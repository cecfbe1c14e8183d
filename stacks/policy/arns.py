"""ARNs that follow from physical names or ids."""

from __future__ import annotations

from aws_cdk import Aws

from contract.channels import Namespace
from contract.tables import Index, Table


def table_arn(table: Table, environment: str) -> str:
    """Return the ARN of a table in an environment."""
    return _arn("dynamodb", f"table/{table.name(environment)}")


def table_backups_arn(table: Table, environment: str) -> str:
    """Return the ARN of every backup of a table in an environment; DynamoDB chooses the ids of backups."""
    return f"{table_arn(table, environment)}/backup/*"


def index_arn(table: Table, index: Index, environment: str) -> str:
    """Return the ARN of a table's index in an environment."""
    return f"{table_arn(table, environment)}/index/{index.name}"


def log_group_arn(name: str) -> str:
    """Return the ARN of a log group, in the form that access logging takes as its destination."""
    return _arn("logs", f"log-group:{name}")


def log_streams_arn(log_group: str) -> str:
    """Return the ARN of all streams of a log group; the service that writes them chooses their names."""
    return f"{log_group_arn(log_group)}:log-stream:*"


def namespace_arn(api_id: str, namespace: Namespace) -> str:
    """Return the ARN of a channel namespace, the finest resource that IAM supports in an Event API."""
    return _arn("appsync", f"apis/{api_id}/channelNamespace/{namespace.name}")


def meetings_arn() -> str:
    """Return the ARN of every Chime SDK meeting of the account.

    Chime chooses the ids of meetings, and its ARNs may or may not contain a region.
    """
    return f"arn:{Aws.PARTITION}:chime:*:{Aws.ACCOUNT_ID}:meeting/*"


def http_api_arn(api_id: str) -> str:
    """Return the ARN of every stage and route of one HTTP API, as the source of function invocations."""
    return _arn("execute-api", f"{api_id}/*/*")


def parameter_arn(name: str) -> str:
    """Return the ARN of a parameter of SSM whose name begins with a slash."""
    return _arn("ssm", f"parameter{name}")


def stack_arn(name: str) -> str:
    """Return the ARN of a stack by its name; CloudFormation chooses the id behind it."""
    return _arn("cloudformation", f"stack/{name}/*")


def user_pool_arn(pool_id: str) -> str:
    """Return the ARN of a user pool; its id begins with its region."""
    return f"arn:{Aws.PARTITION}:cognito-idp:{pool_id.partition('_')[0]}:{Aws.ACCOUNT_ID}:userpool/{pool_id}"


def any_user_pool_arn() -> str:
    """Return the ARN of every user pool of the account and region."""
    return _arn("cognito-idp", "userpool/*")


def event_apis_arn() -> str:
    """Return the ARN of every Event API of the account and region."""
    return _arn("appsync", "apis/*")


def event_api_log_groups_arn() -> str:
    """Return the ARN of the log groups that AppSync writes, which are named after their APIs."""
    return _arn("logs", "log-group:/aws/appsync/apis/*")


def ses_identity_arn(domain: str) -> str:
    """Return the ARN of a domain that SES has verified."""
    return _arn("ses", f"identity/{domain}")


def _arn(service: str, resource: str) -> str:
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"
