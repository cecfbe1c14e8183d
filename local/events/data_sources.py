"""From the model of a data source to what executes its requests."""

import logging
from typing import Any, Final

from local.events.api import DataSourceModel, DynamoDbModel
from local.events.handlers import DataSource, DataSourceError
from local.events.runtime.dynamodb import Credentials, DynamoDbDataSource

LOCAL_CREDENTIALS: Final = Credentials("local-events-service", "local-events-service")
"""What this service signs its own calls to the local cloud with; the emulator takes any."""

_log = logging.getLogger(__name__)


class DataSources:
    """Makes data sources against one endpoint; equal models share one, as each holds connections and threads.

    Args:
        endpoint: base URL of the emulated AWS services; `None` if there are none: then every request fails by name.
    """

    def __init__(self, endpoint: str | None) -> None:
        self._endpoint = endpoint
        self._made: dict[DynamoDbModel, DynamoDbDataSource] = {}

    def __call__(self, model: DataSourceModel) -> DataSource:
        if self._endpoint is None:
            return _NoEndpoint(model.name)
        target = model.target
        made = self._made.get(target)
        if made is None:
            made = DynamoDbDataSource(
                target.table, region=target.region, endpoint_url=self._endpoint, credentials=LOCAL_CREDENTIALS
            )
            self._made[target] = made
        return made

    def close(self) -> None:
        """End the connections and threads of everything made."""
        for made in self._made.values():
            made.close()


class _NoEndpoint:
    """Stands where a data source would be, when nobody said where its service is."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def execute(self, request: dict[str, Any]) -> Any:
        """Fail, saying what to do."""
        message = f"data source {self._name} cannot be reached: start the Events service with --aws-endpoint"
        _log.error("%s", message)
        raise DataSourceError("NoEndpoint", message)
