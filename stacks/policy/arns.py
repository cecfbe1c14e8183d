"""The ARNs that follow from physical names."""

from __future__ import annotations

from aws_cdk import Aws

from contract.channels import Namespace
from contract.tables import Index, Table


def table(table: Table, environment: str) -> str:
    """Return the ARN of a table in an environment."""
    return _arn("dynamodb", f"table/{table.name(environment)}")


def index(of: Table, index: Index, environment: str) -> str:
    """Return the ARN of a table's index in an environment."""
    return f"{table(of, environment)}/index/{index.name}"


def log_group(name: str) -> str:
    """Return the ARN of a log group, as a destination of access logs."""
    return _arn("logs", f"log-group:{name}")


def log_streams(name: str) -> str:
    """Return the ARN of all streams in a log group; the service that writes them names them."""
    return f"{log_group(name)}:log-stream:*"


def namespace(api_id: str, namespace: Namespace) -> str:
    """Return the ARN of a channel namespace, the finest resource that IAM knows in an Event API."""
    return _arn("appsync", f"apis/{api_id}/channelNamespace/{namespace.name}")


def meetings() -> str:
    """Return the ARN of every Chime SDK meeting of the account; Chime makes the ids, and writes the region or not."""
    return f"arn:{Aws.PARTITION}:chime:*:{Aws.ACCOUNT_ID}:meeting/*"


def http_api_calls(api_id: str) -> str:
    """Return the ARN of everything that one HTTP API may call a function for."""
    return _arn("execute-api", f"{api_id}/*/*")


def ses_identity(domain: str) -> str:
    """Return the ARN of a domain that SES has verified."""
    return _arn("ses", f"identity/{domain}")


def _arn(service: str, resource: str) -> str:
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"
