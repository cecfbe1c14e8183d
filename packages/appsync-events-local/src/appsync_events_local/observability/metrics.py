"""The metrics of an Event API under their CloudWatch names (namespace `AWS/AppSync`).

Metrics are counted once per operation or broadcast and not per delivery, so that they do not slow down delivery. Values
cover the time since the start of the service, without periods. Source: AppSync Events: "CloudWatch metrics".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

CLOUDWATCH_NAMESPACE: Final = "AWS/AppSync"
METERED_BYTES: Final = 5 * 1024
"""A message counts once per started 5 kB."""


class Metric(StrEnum):
    """The metrics; the values are their CloudWatch names."""

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
    """Return the metric of an operation over the socket.

    Args:
        kind: kind of the frame; frames of other kinds than `KINDS` have no metric.
        status: status of the refusal, which is a client or a server error; `None` for a success.
    """
    if kind not in KINDS:
        return None
    end = "Success" if status is None else "ClientError" if status < 500 else "ServerError"
    return Metric(f"{kind.capitalize()}{end}")


def metered(size: int) -> int:
    """Return the number of metered messages of one message of `size` bytes."""
    return max(1, -(-size // METERED_BYTES))


@dataclass(slots=True)
class Statistic:
    """The statistic of a metric's samples, as CloudWatch stores it."""

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
    """The metrics of one API, in total and by channel namespace."""

    def __init__(self) -> None:
        self._statistics: dict[tuple[str | None, Metric], Statistic] = {}

    def add(self, metric: Metric, value: float = 1, namespace: str | None = None) -> None:
        """Add a sample for the API, and for a namespace if one is given."""
        self._statistic(None, metric).add(value)
        if namespace is not None:
            self._statistic(namespace, metric).add(value)

    def total(self, metric: Metric, namespace: str | None = None) -> float:
        """Return the sum of a metric's samples."""
        found = self._statistics.get((namespace, metric))
        return found.total if found else 0.0

    def items(self) -> Iterator[tuple[str | None, Metric, Statistic]]:
        """Yield every metric that has samples; those of the API first."""
        for (namespace, metric), statistic in sorted(self._statistics.items(), key=lambda item: item[0][0] or ""):
            yield namespace, metric, statistic

    def as_json(self, api_id: str, gauges: Mapping[Metric, int]) -> list[dict[str, Any]]:
        """Return one entry per metric and dimension, in the format of CloudWatch's `MetricDatum`.

        Args:
            api_id: id of the API.
            gauges: current values of metrics that are not counted.
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
