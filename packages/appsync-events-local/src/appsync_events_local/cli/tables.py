"""`--create-tables`: creates the templates' DynamoDB tables in an emulator."""

import logging
from collections.abc import Iterable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from appsync_events_local.aws_clients import LOCAL_CREDENTIALS, aws_client
from appsync_events_local.template.tables import TableTemplate

READ_SECONDS = 20.0
ATTEMPTS = 2
_MISSING = "ResourceNotFoundException"
_EXISTS = "ResourceInUseException"

_log = logging.getLogger("appsync_events_local.cli.tables")


class TableError(Exception):
    """A table cannot be created; the message names the table and the cause."""


def create_missing(tables: Iterable[TableTemplate], endpoint: str) -> None:
    """Create the tables that do not exist. An existing table is not changed.

    Args:
        tables: the tables of the templates.
        endpoint: address of DynamoDB.

    Raises:
        TableError: a table cannot be created; the tables before it have been.
    """
    clients: dict[str, Any] = {}
    try:
        for table in tables:
            if table.region not in clients:
                clients[table.region] = _client(table.region, endpoint)
            _create(clients[table.region], table, endpoint)
    finally:
        for client in clients.values():
            client.close()


def _client(region: str, endpoint: str) -> Any:
    return aws_client(
        "dynamodb",
        region=region,
        endpoint_url=endpoint,
        credentials=LOCAL_CREDENTIALS,
        connections=1,
        read_seconds=READ_SECONDS,
        attempts=ATTEMPTS,
    )


def _create(client: Any, table: TableTemplate, endpoint: str) -> None:
    try:
        if _exists(client, table.name):
            return
        client.create_table(**table.request)
        client.get_waiter("table_exists").wait(TableName=table.name, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
        _log.info("created table %s at %s", table.name, endpoint)
    except ClientError as error:
        if error.response["Error"]["Code"] == _EXISTS:
            return
        raise TableError(_text(table, endpoint, error)) from error
    except BotoCoreError as error:
        raise TableError(_text(table, endpoint, error)) from error


def _exists(client: Any, name: str) -> bool:
    try:
        client.describe_table(TableName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] == _MISSING:
            return False
        raise
    return True


def _text(table: TableTemplate, endpoint: str, error: Exception) -> str:
    origin = table.origin
    return f"{origin.file}: {origin.logical_id}: table {table.name} cannot be created at {endpoint}: {error}"
