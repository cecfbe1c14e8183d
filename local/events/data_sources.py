"""From the model of a data source to what executes its requests."""

from typing import Final

from local.events.api import DataSourceModel, DynamoDbModel
from local.events.handlers import DataSource
from local.events.runtime.dynamodb import Credentials, DynamoDbDataSource

LOCAL_CREDENTIALS: Final = Credentials("local-events-service", "local-events-service")
"""What this service signs its own calls to the local cloud with; the emulator takes any."""


class DataSources:
    """Makes data sources against one endpoint; equal models share one, as each holds connections and threads.

    Args:
        endpoint: base URL of the emulated AWS services.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._made: dict[DynamoDbModel, DynamoDbDataSource] = {}

    def __call__(self, model: DataSourceModel) -> DataSource:
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
