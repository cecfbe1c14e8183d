"""Physical names, and the ARNs that follow from them.

Tables, functions and queues have names that follow from the environment, so stacks refer to them by name and need no
CloudFormation export, which would bind the stateful stacks to whoever uses them. Where AWS makes the name (pool,
client, Event API, stream), stacks refer to each other by export: deleting what is in use is then refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aws_cdk import Aws

from handlers.core.contract.tables import Index, Table

PRODUCT: Final = "PantherKolab"


@dataclass(frozen=True)
class Names:
    """The names in one environment."""

    environment: str

    def of(self, what: str) -> str:
        """Return `PantherKolab-{what}-{environment}`: a stack, function, queue, topic, pool or API."""
        return f"{PRODUCT}-{what}-{self.environment}"

    def table_arn(self, table: Table) -> str:
        """Return the ARN of a table."""
        return _arn("dynamodb", f"table/{table.name(self.environment)}")

    def index_arn(self, table: Table, index: Index) -> str:
        """Return the ARN of a table's index."""
        return f"{self.table_arn(table)}/index/{index.name}"

    def queue_arn(self, what: str) -> str:
        """Return the ARN of a queue."""
        return _arn("sqs", self.of(what))

    def function_log_group(self, function: str) -> str:
        """Return the name of the log group that Lambda writes a function's log to."""
        return f"/aws/lambda/{self.of(function)}"

    def log_streams_arn(self, log_group: str) -> str:
        """Return the ARN of all streams in a log group; the service that writes them names them."""
        return f"{_arn('logs', f'log-group:{log_group}')}:log-stream:*"


def _arn(service: str, resource: str) -> str:
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"
