"""The CloudWatch metrics of one environment, for its alarms and its dashboard.

Resources are addressed by name or id, so that the Operations stack needs few references to other stacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from contract.channels import Namespace
from contract.tables import Table
from handlers import settings
from stacks.monitoring.call_metrics import CallMetric, metric_namespace
from stacks.naming import Names

PERIOD: Final = Duration.minutes(5)

_ROUTES: Final = (
    settings.MessagesSettings.function,
    settings.ConversationsSettings.function,
    settings.UsersSettings.function,
    settings.CallsSettings.function,
)
_BACKGROUND: Final = (
    settings.DeliverSettings.function,
    settings.RelaySettings.function,
    settings.SweepSettings.function,
    settings.RingTimeoutSettings.function,
    settings.ChimeEventsSettings.function,
    settings.CallSweepSettings.function,
)


@dataclass(frozen=True)
class Metrics:
    """Creates the metrics of one environment.

    Args:
        names: the environment's physical names.
        http_api_id: the id of the HTTP API.
        events_api_id: the id of the Event API.
        has_profile_function: whether the environment has the function `profile`.
    """

    names: Names
    http_api_id: str
    events_api_id: str
    has_profile_function: bool

    @property
    def client_functions(self) -> tuple[str, ...]:
        """Return the functions that a client or Cognito waits for."""
        return (*_ROUTES, *self._profile)

    @property
    def background_functions(self) -> tuple[str, ...]:
        """Return the functions that queues, streams, events and schedules invoke."""
        return _BACKGROUND

    @property
    def functions(self) -> tuple[str, ...]:
        """Return every function of the environment."""
        return (*_ROUTES, *_BACKGROUND, *self._profile)

    @property
    def _profile(self) -> tuple[str, ...]:
        return (settings.ProfileSettings.function,) if self.has_profile_function else ()

    def function(self, function: str, metric: str, statistic: str = "Sum") -> cloudwatch.Metric:
        """Return a metric of a function, such as Errors."""
        return _metric("AWS/Lambda", metric, statistic, FunctionName=self.names.of(function))

    def http_api(self, metric: str, statistic: str = "Sum") -> cloudwatch.Metric:
        """Return a metric of the HTTP API, such as 5xx."""
        return _metric("AWS/ApiGateway", metric, statistic, ApiId=self.http_api_id)

    def queue(self, queue: str, metric: str, statistic: str = "Maximum") -> cloudwatch.Metric:
        """Return a metric of a queue."""
        return _metric("AWS/SQS", metric, statistic, QueueName=self.names.of(queue))

    def table(self, table: Table, metric: str, statistic: str = "Sum") -> cloudwatch.Metric:
        """Return a metric of a table."""
        return _metric("AWS/DynamoDB", metric, statistic, TableName=table.name(self.names.environment))

    def event_api(self, metric: str, statistic: str = "Sum") -> cloudwatch.Metric:
        """Return a metric of the Event API."""
        return _metric("AWS/AppSync", metric, statistic, EventAPIId=self.events_api_id)

    def namespace(self, namespace: Namespace, metric: str, statistic: str = "Sum") -> cloudwatch.Metric:
        """Return a metric of one namespace of the Event API."""
        return _metric(
            "AWS/AppSync", metric, statistic, EventAPIId=self.events_api_id, ChannelNamespaceName=namespace.name
        )

    def call(self, metric: CallMetric, statistic: str = "Sum") -> cloudwatch.Metric:
        """Return a metric that is counted from the log lines of calls."""
        return _metric(metric_namespace(self.names), metric.name, statistic)


def _metric(namespace: str, name: str, statistic: str, **dimensions: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace, metric_name=name, dimensions_map=dimensions, statistic=statistic, period=PERIOD
    )
