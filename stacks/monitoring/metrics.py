"""Which metrics say how the product does: the ones that alarms watch and the dashboard shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contract.channels import Namespace
from contract.tables import Table
from handlers import settings
from stacks.constructs.function import SettingsClass
from stacks.monitoring.alarms import Metric
from stacks.naming import Names

FUNCTIONS: tuple[type[SettingsClass], ...] = (
    settings.MessagesSettings,
    settings.ConversationsSettings,
    settings.UsersSettings,
    settings.CallsSettings,
    settings.DeliverSettings,
    settings.RelaySettings,
    settings.SweepSettings,
    settings.RingTimeoutSettings,
    settings.ChimeEventsSettings,
    settings.CallSweepSettings,
)
"""Functions of every environment; `profile` belongs to a created pool only."""


@dataclass(frozen=True)
class Metrics:
    """The metrics of one environment.

    Args:
        names: its physical names.
        http_api_id, events_api_id: what AWS named the APIs.
    """

    names: Names
    http_api_id: str
    events_api_id: str

    def function(self, name: str, metric: str, statistic: str = "Sum") -> Metric:
        """Return a metric of a function, such as Errors."""
        return Metric("AWS/Lambda", metric, {"FunctionName": self.names.of(name)}, statistic)

    def api(self, metric: str, statistic: str = "Sum") -> Metric:
        """Return a metric of the HTTP API, such as 5xx."""
        return Metric("AWS/ApiGateway", metric, {"ApiId": self.http_api_id}, statistic)

    def queue(self, what: str, metric: str, statistic: str = "Maximum") -> Metric:
        """Return a metric of a queue."""
        return Metric("AWS/SQS", metric, {"QueueName": self.names.of(what)}, statistic)

    def table(self, table: Table, metric: str, statistic: str = "Sum") -> Metric:
        """Return a metric of a table."""
        return Metric("AWS/DynamoDB", metric, {"TableName": table.name(self.names.environment)}, statistic)

    def events(self, metric: str, statistic: str = "Sum", namespace: Namespace | None = None) -> Metric:
        """Return a metric of the Event API, or of one of its namespaces."""
        dimensions: Mapping[str, str] = {"EventAPIId": self.events_api_id}
        if namespace is not None:
            dimensions = {**dimensions, "ChannelNamespaceName": namespace.name}
        return Metric("AWS/AppSync", metric, dimensions, statistic)
