"""Creates data sources from their models."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from appsync_events_local.aws_clients import LOCAL_CREDENTIALS
from appsync_events_local.functions.invoker import FunctionInvoker
from appsync_events_local.model.data_sources import (
    DataSourceModel,
    DataSourceTarget,
    DynamoDbModel,
    EventBridgeModel,
    HttpModel,
    LambdaModel,
)
from appsync_events_local.sources.data_source import DataSource, DataSourceError
from appsync_events_local.sources.dynamodb import DynamoDbDataSource
from appsync_events_local.sources.event_bridge import EventBridgeDataSource
from appsync_events_local.sources.functions import LambdaDataSource
from appsync_events_local.sources.http import HttpDataSource
from appsync_events_local.sources.role_keys import CredentialsForRole, local_keys

_log = logging.getLogger(__name__)


class DataSourceFactory:
    """Creates data sources; equal models share one, because each holds connections and threads.

    Args:
        endpoint: base URL of the emulated AWS services; without it, every request to DynamoDB or EventBridge fails with
            an error that names the data source.
        functions: invokes Lambda functions.
        keys: returns the credentials of the role that calls DynamoDB or EventBridge.
    """

    def __init__(self, endpoint: str | None, functions: FunctionInvoker, keys: CredentialsForRole = local_keys) -> None:
        self._endpoint = endpoint
        self._functions = functions
        self._keys = keys
        self._created: dict[DataSourceTarget, DataSource] = {}

    def __call__(self, model: DataSourceModel) -> DataSource:
        """Return the data source of a model."""
        if self._endpoint is None and isinstance(model.target, DynamoDbModel | EventBridgeModel):
            return _NoEndpoint(model.name)
        if model.target not in self._created:
            self._created[model.target] = self._make(model.target)
        return self._created[model.target]

    async def close(self) -> None:
        """Close the connections and threads of all data sources."""
        for data_source in self._created.values():
            match data_source:
                case HttpDataSource():
                    await data_source.close()
                case DynamoDbDataSource() | EventBridgeDataSource():
                    await asyncio.to_thread(data_source.close)
        self._created.clear()

    def _make(self, target: DataSourceTarget) -> DataSource:
        match target:
            case LambdaModel():
                return LambdaDataSource(target.function, self._functions)
            case HttpModel():
                return HttpDataSource(target, LOCAL_CREDENTIALS)
            case DynamoDbModel():
                return DynamoDbDataSource(
                    target.table,
                    region=target.region,
                    endpoint_url=self._endpoint,
                    credentials=self._keys(target.role),
                )
            case EventBridgeModel():
                return EventBridgeDataSource(
                    target.bus,
                    region=target.region,
                    endpoint_url=self._endpoint,
                    credentials=self._keys(target.role),
                )


class _NoEndpoint:
    """Replaces a data source whose service has no endpoint: every request fails."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def execute(self, request: dict[str, Any]) -> Any:
        """Fail with the remedy."""
        message = f"data source {self._name} has no endpoint: start the Events service with --aws-endpoint"
        _log.error("%s", message)
        raise DataSourceError("NoEndpoint", message)
