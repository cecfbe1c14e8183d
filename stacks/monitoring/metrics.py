"""The CloudWatch metrics of one environment, for its alarms and its dashboard.

Resources are addressed by name or id, so that the Operations stack needs few references to other stacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from contract.channels import Namespace
from contract.tables import Index, Table
from handlers import settings
from stacks.monitoring.log_metrics import LogMetric, metric_namespace
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
        has_canary: whether the environment has the canary.
    """

    names: Names
    http_api_id: str
    events_api_id: str
    has_profile_function: bool
    has_canary: bool = False

    @property
    def functions(self) -> tuple[str, ...]:
        """Return every function of the environment, without the canary."""
        return (*_ROUTES, *_BACKGROUND, *self._profile)

    @property
    def _profile(self) -> tuple[str, ...]:
        return (settings.ProfileSettings.function,) if self.has_profile_function else ()

    def function(
        self, function: str, metric: str, statistic: str = "Sum", period: Duration = PERIOD
    ) -> cloudwatch.Metric:
        """Return a metric of a function, such as Errors."""
        return _metric("AWS/Lambda", metric, statistic, period, FunctionName=self.names.of(function))

    def account_throttles(self) -> cloudwatch.Metric:
        """Return the throttled invocations of all functions of the account, which share its concurrent executions."""
        return _metric("AWS/Lambda", "Throttles", "Sum")

    def bill(self, service: str) -> cloudwatch.Metric:
        """Return the bill of a service since the start of the month, of the whole account (AWS Billing: metrics)."""
        return cloudwatch.Metric(
            namespace="AWS/Billing",
            metric_name="EstimatedCharges",
            dimensions_map={"Currency": "USD", "ServiceName": service},
            statistic="Maximum",
            period=Duration.hours(6),
            region="us-east-1",
            label=service,
        )

    def http_api(self, metric: str, statistic: str = "Sum") -> cloudwatch.Metric:
        """Return a metric of the HTTP API, such as 5xx."""
        return _metric("AWS/ApiGateway", metric, statistic, ApiId=self.http_api_id)

    def queue(self, queue: str, metric: str, statistic: str = "Maximum") -> cloudwatch.Metric:
        """Return a metric of a queue."""
        return _metric("AWS/SQS", metric, statistic, QueueName=self.names.of(queue))

    def table(self, table: Table, metric: str, statistic: str = "Sum") -> cloudwatch.Metric:
        """Return a metric of a table."""
        return _metric("AWS/DynamoDB", metric, statistic, TableName=table.name(self.names.environment))

    def index(self, table: Table, index: Index, metric: str, statistic: str = "Sum") -> cloudwatch.Metric:
        """Return a metric of an index; DynamoDB counts its throttling apart from that of the table."""
        return _metric(
            "AWS/DynamoDB",
            metric,
            statistic,
            TableName=table.name(self.names.environment),
            GlobalSecondaryIndexName=index.name,
        )

    def event_api(self, metric: str, statistic: str = "Sum") -> cloudwatch.Metric:
        """Return a metric of the Event API."""
        return _metric("AWS/AppSync", metric, statistic, EventAPIId=self.events_api_id)

    def realtime(self, metrics: Sequence[str], statistic: str = "Sum") -> cloudwatch.MathExpression:
        """Return real-time metrics of the Event API under every set of dimensions that AppSync has for them.

        AppSync's documentation lists them under the API and the namespace, also those of connections, which belong to
        no namespace. An expression that searches finds them either way; an alarm could not use it.
        """
        names = " OR ".join(f'"{metric}"' for metric in metrics)
        search = f'Namespace="AWS/AppSync" EventAPIId="{self.events_api_id}" MetricName=({names})'
        return cloudwatch.MathExpression(
            expression=f"SEARCH('{search}', '{statistic}', {PERIOD.to_seconds():.0f})", using_metrics={}, label=""
        )

    def namespace(self, namespace: Namespace, metric: str, statistic: str = "Sum") -> cloudwatch.Metric:
        """Return a metric of one namespace of the Event API."""
        return _metric(
            "AWS/AppSync", metric, statistic, EventAPIId=self.events_api_id, ChannelNamespaceName=namespace.name
        )

    def logged(self, metric: LogMetric, statistic: str = "Sum") -> cloudwatch.Metric:
        """Return a metric that is counted from log lines."""
        return _metric(metric_namespace(self.names), metric.name, statistic)

    def canary(self, metric: str, statistic: str, period: Duration = PERIOD) -> cloudwatch.Metric:
        """Return a metric of the canary's log line (`contract.canary`)."""
        return _metric(metric_namespace(self.names), metric, statistic, period)


def _metric(
    namespace: str, name: str, statistic: str, period: Duration = PERIOD, **dimensions: str
) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace, metric_name=name, dimensions_map=dimensions, statistic=statistic, period=period
    )
