"""Metrics by AWS's names: what CloudWatch would show of an Event API in the namespace `AWS/AppSync`.

Source: AppSync Events: "CloudWatch metrics". Everything is counted once per operation or broadcast, never per delivery,
so that counting costs a fan-out nothing. Values run from the start of the service; nothing is cut into periods.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

CLOUDWATCH_NAMESPACE: Final = "AWS/AppSync"
METERED_BYTES: Final = 5 * 1024
"""A message counts once for every 5 kB that it begins."""


class Metric(StrEnum):
    """The metrics, by their CloudWatch names."""

    REQUESTS = "Requests"
    CLIENT_ERRORS = "4XXError"
    SERVER_ERRORS = "5XXError"
    LATENCY = "Latency"
    CONNECT_REQUESTS = "ConnectRequests"
    CONNECT_SUCCESS = "ConnectSuccess"
    CONNECT_CLIENT_ERROR = "ConnectClientError"
    CONNECT_SERVER_ERROR = "ConnectServerError"
    DISCONNECT_SUCCESS = "DisconnectSuccess"
    DISCONNECT_CLIENT_ERROR = "DisconnectClientError"
    DISCONNECT_SERVER_ERROR = "DisconnectServerError"
    CONNECTION_DURATION = "ConnectionDuration"
    SUBSCRIBE_SUCCESS = "SubscribeSuccess"
    SUBSCRIBE_CLIENT_ERROR = "SubscribeClientError"
    SUBSCRIBE_SERVER_ERROR = "SubscribeServerError"
    UNSUBSCRIBE_SUCCESS = "UnsubscribeSuccess"
    UNSUBSCRIBE_CLIENT_ERROR = "UnsubscribeClientError"
    UNSUBSCRIBE_SERVER_ERROR = "UnsubscribeServerError"
    PUBLISH_SUCCESS = "PublishSuccess"
    PUBLISH_CLIENT_ERROR = "PublishClientError"
    PUBLISH_SERVER_ERROR = "PublishServerError"
    BROADCAST_SUCCESS = "BroadcastEventSuccess"
    BROADCAST_SIZE = "BroadcastEventSize"
    INBOUND_MESSAGES = "InboundMessages"
    OUTBOUND_MESSAGES = "OutboundMessages"
    ACTIVE_CONNECTIONS = "ActiveConnections"
    ACTIVE_SUBSCRIPTIONS = "ActiveSubscriptions"
    SUCCESSFUL_EVENTS = "SuccessfulEvents"
    FAILED_EVENTS = "FailedEvents"
    DROPPED_EVENTS = "DroppedEvents"
    PUBLISH_HANDLER = "PublishedHandlerInvocations"
    SUBSCRIBE_HANDLER = "SubscribeHandlerInvocations"


UNITS: Final[Mapping[Metric, str]] = {
    Metric.LATENCY: "Milliseconds",
    Metric.CONNECTION_DURATION: "Seconds",
    Metric.BROADCAST_SIZE: "Bytes",
}
"""Units other than `Count`."""


KINDS: Final = frozenset({"connect", "subscribe", "unsubscribe", "publish"})


def outcome(kind: str, status: int | None) -> Metric | None:
    """The metric of an operation over the socket: a success (`None`), or an error of the client's or ours.

    Frames of another kind have none.
    """
    if kind not in KINDS:
        return None
    end = "Success" if status is None else "ClientError" if status < 500 else "ServerError"
    return Metric(f"{kind.capitalize()}{end}")


def metered(size: int) -> int:
    """How many messages one of `size` bytes counts for."""
    return max(1, -(-size // METERED_BYTES))


@dataclass(slots=True)
class Statistic:
    """What CloudWatch keeps of a metric's samples."""

    samples: int = 0
    total: float = 0.0
    smallest: float = 0.0
    largest: float = 0.0

    def add(self, value: float) -> None:
        self.smallest = value if self.samples == 0 else min(self.smallest, value)
        self.largest = value if self.samples == 0 else max(self.largest, value)
        self.samples += 1
        self.total += value


class Metrics:
    """The metrics of one API, as a whole and by channel namespace."""

    def __init__(self) -> None:
        self._statistics: dict[tuple[str | None, Metric], Statistic] = {}

    def add(self, metric: Metric, value: float = 1, namespace: str | None = None) -> None:
        """Add a sample for the API, and for its namespace if one is named."""
        self._statistic(None, metric).add(value)
        if namespace is not None:
            self._statistic(namespace, metric).add(value)

    def total(self, metric: Metric, namespace: str | None = None) -> float:
        """The sum of a metric's samples."""
        found = self._statistics.get((namespace, metric))
        return found.total if found else 0.0

    def items(self) -> Iterator[tuple[str | None, Metric, Statistic]]:
        """Every metric that has samples, the API's own first."""
        for (namespace, metric), statistic in sorted(self._statistics.items(), key=lambda item: item[0][0] or ""):
            yield namespace, metric, statistic

    def as_json(self, api_id: str, gauges: Mapping[Metric, int]) -> list[dict[str, Any]]:
        """One entry per metric and dimension, in the words of CloudWatch's `MetricDatum`.

        Args:
            api_id: of the API.
            gauges: what is not counted but there now.
        """
        now = [(None, metric, Statistic(1, value, value, value)) for metric, value in gauges.items()]
        return [_datum(api_id, *entry) for entry in (*now, *self.items())]

    def _statistic(self, namespace: str | None, metric: Metric) -> Statistic:
        found = self._statistics.get((namespace, metric))
        if found is None:
            found = self._statistics[namespace, metric] = Statistic()
        return found


def _datum(api_id: str, namespace: str | None, metric: Metric, statistic: Statistic) -> dict[str, Any]:
    dimensions = [{"Name": "EventAPIId", "Value": api_id}]
    if namespace is not None:
        dimensions.append({"Name": "ChannelNamespaceName", "Value": namespace})
    return {
        "MetricName": metric,
        "Dimensions": dimensions,
        "Unit": UNITS.get(metric, "Count"),
        "StatisticValues": {
            "SampleCount": statistic.samples,
            "Sum": statistic.total,
            "Minimum": statistic.smallest,
            "Maximum": statistic.largest,
        },
    }
