"""The Data stack: the tables of the contract."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from contract import tables
from contract.tables import Key, Table
from stacks.config.fields import Environment
from stacks.constructs.backups import TableBackups
from stacks.constructs.stack import EnvironmentStack
from stacks.policy import nag

_TYPES: Final = {"S": dynamodb.AttributeType.STRING, "N": dynamodb.AttributeType.NUMBER}
_PROJECTIONS: Final = {"ALL": dynamodb.ProjectionType.ALL, "KEYS_ONLY": dynamodb.ProjectionType.KEYS_ONLY}


class DataStack(EnvironmentStack):
    """On-demand tables, encrypted with DynamoDB's own key; the environment decides how they are protected.

    DynamoDB's own key costs nothing and adds no KMS call that can be throttled. A KMS key would allow revoking the key
    and auditing its use in CloudTrail, and the product needs neither.
    """

    def __init__(self, scope: Construct, environment: Environment) -> None:
        super().__init__(scope, "Data", environment, "tables")
        self.tables = {table.entity: self._table(table) for table in tables.TABLES}
        if environment.data.backup is not None:
            TableBackups(self, environment, environment.data.backup)
        for table, days in self._retention().items():
            cdk.Tags.of(self.tables[table.entity]).add("retention-days", str(days))

    @property
    def outbox_stream_arn(self) -> str:
        """Return the ARN of the Outbox table's stream; AWS chooses its last part."""
        arn = self.tables[tables.OUTBOX.entity].table_stream_arn
        if arn is None:
            raise ValueError("the Outbox table has no stream in the contract")
        return arn

    def _retention(self) -> dict[Table, int]:
        """Return the days for which a table's content is kept, for the tables that have a limit."""
        data = self.environment_settings.data
        limits = {tables.MESSAGES: data.message_retention_days, tables.CALLS: data.call_retention_days}
        return {table: days for table, days in limits.items() if days is not None}

    @property
    def messages_stream_arn(self) -> str:
        """Return the ARN of the Messages table's stream, which the bridge to the old Socket.IO server reads."""
        arn = self.tables[tables.MESSAGES.entity].table_stream_arn
        if arn is None:
            raise ValueError("the Messages table has a stream only with cutover.bridge = true")
        return arn

    def _has_stream(self, table: Table) -> bool:
        return table.stream is not None or (self.environment_settings.cutover.bridge and table is tables.MESSAGES)

    def _table(self, table: Table) -> dynamodb.Table:
        data = self.environment_settings.data
        created = dynamodb.Table(
            self,
            table.entity,
            table_name=table.name(self.environment_settings.name),
            partition_key=_attribute(table.partition),
            sort_key=_attribute(table.sort) if table.sort else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute=table.ttl,
            stream=dynamodb.StreamViewType.KEYS_ONLY if self._has_stream(table) else None,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=data.point_in_time_recovery
            ),
            deletion_protection=data.deletion_protection,
            removal_policy=self.data_removal_policy,
        )
        for index in table.indexes:
            created.add_global_secondary_index(
                index_name=index.name,
                partition_key=_attribute(index.partition),
                sort_key=_attribute(index.sort) if index.sort else None,
                projection_type=_PROJECTIONS[index.projection],
            )
        if not data.point_in_time_recovery:
            nag.acknowledge_no_point_in_time_recovery(created, self.environment_settings.name)
        return created


def _attribute(key: Key) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=key.name, type=_TYPES[key.type])
