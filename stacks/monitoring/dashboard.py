"""The rows of the CloudWatch dashboard, one for each part of the backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch

from contract import channels
from handlers import settings
from stacks.monitoring import log_metrics
from stacks.monitoring.metrics import Metrics
from stacks.monitoring.throttling import throttled_reads, throttled_writes
from stacks.naming import (
    CHIME_EVENTS_DEAD_LETTERS,
    CHIME_RULE_DEAD_LETTERS,
    DELIVERY_DEAD_LETTERS,
    DELIVERY_QUEUE,
    RELAY_DEAD_LETTERS,
    RING_TIMEOUTS_DEAD_LETTERS,
    RING_TIMEOUTS_QUEUE,
)

_COLUMNS: Final = 24
_GRAPH_HEIGHT: Final = 6

_Graph = tuple[str, Sequence[cloudwatch.IMetric]]
"""The title of a graph, and its metrics."""


def dashboard_rows(metrics: Metrics) -> list[list[cloudwatch.IWidget]]:
    """Return the widgets row by row: each heading is followed by a row of graphs of equal width."""
    rows: list[list[cloudwatch.IWidget]] = []
    for heading, graphs in _sections(metrics):
        rows.append([cloudwatch.TextWidget(markdown=f"## {heading}", width=_COLUMNS, height=1)])
        rows.append(
            [
                cloudwatch.GraphWidget(title=title, left=left, width=_COLUMNS // len(graphs), height=_GRAPH_HEIGHT)
                for title, left in graphs
            ]
        )
    return rows


def _sections(metrics: Metrics) -> list[tuple[str, list[_Graph]]]:
    return [
        ("HTTP API health", _http_api_graphs(metrics)),
        ("Lambda function health", _function_graphs(metrics)),
        ("Event delivery", _delivery_graphs(metrics)),
        ("Calls", _call_graphs(metrics)),
        ("Event API health", _event_api_graphs(metrics)),
        ("DynamoDB throttling", _table_graphs(metrics)),
    ]


def _http_api_graphs(metrics: Metrics) -> list[_Graph]:
    return [
        ("Requests and errors", [metrics.http_api(name) for name in ("Count", "4xx", "5xx")]),
        ("Latency (ms)", [metrics.http_api("Latency", statistic) for statistic in ("p50", "p95", "p99")]),
    ]


def _function_graphs(metrics: Metrics) -> list[_Graph]:
    return [
        ("Errors", [metrics.function(name, "Errors") for name in metrics.functions]),
        ("Duration p95 (ms)", [metrics.function(name, "Duration", "p95") for name in metrics.functions]),
        ("Throttles", [metrics.function(name, "Throttles") for name in metrics.functions]),
    ]


def _delivery_graphs(metrics: Metrics) -> list[_Graph]:
    queues = (DELIVERY_QUEUE, DELIVERY_DEAD_LETTERS, RELAY_DEAD_LETTERS)
    relay = settings.RelaySettings.function
    return [
        (
            "Queued events, dead letters and given-up events",
            [
                *(metrics.queue(queue, "ApproximateNumberOfMessagesVisible") for queue in queues),
                metrics.logged(log_metrics.GIVEN_UP),
            ],
        ),
        ("Age of the oldest queued event (s)", [metrics.queue(DELIVERY_QUEUE, "ApproximateAgeOfOldestMessage")]),
        ("Relay lag (ms)", [metrics.function(relay, "IteratorAge", "Maximum")]),
    ]


def _call_graphs(metrics: Metrics) -> list[_Graph]:
    dead_letters = (RING_TIMEOUTS_DEAD_LETTERS, CHIME_EVENTS_DEAD_LETTERS, CHIME_RULE_DEAD_LETTERS)
    return [
        ("Ring funnel", [metrics.logged(metric) for metric in log_metrics.RING_FUNNEL]),
        (
            "Time to answer (ms)",
            [metrics.logged(log_metrics.TIME_TO_ANSWER, statistic) for statistic in ("p50", "p95")],
        ),
        ("Call duration (s)", [metrics.logged(log_metrics.DURATION, statistic) for statistic in ("p50", "Maximum")]),
        (
            "Overdue and stuck calls, ring timer age (s), dead letters",
            [
                metrics.logged(log_metrics.OVERDUE),
                metrics.logged(log_metrics.STUCK),
                metrics.queue(RING_TIMEOUTS_QUEUE, "ApproximateAgeOfOldestMessage"),
                *(metrics.queue(queue, "ApproximateNumberOfMessagesVisible") for queue in dead_letters),
            ],
        ),
    ]


def _event_api_graphs(metrics: Metrics) -> list[_Graph]:
    connections = ("ActiveConnections", "ActiveSubscriptions")
    refused = ("ConnectClientError", "SubscribeClientError", "PublishClientError")
    return [
        ("Connections and subscriptions", [metrics.realtime(connections, "Maximum")]),
        (
            "Client and server errors",
            [*(metrics.event_api(name) for name in ("4XXError", "5XXError")), metrics.realtime(refused)],
        ),
        (
            "Successful and failed events",
            [
                metrics.namespace(namespace, name)
                for namespace in channels.NAMESPACES
                for name in ("SuccessfulEvents", "FailedEvents")
            ],
        ),
    ]


def _table_graphs(metrics: Metrics) -> list[_Graph]:
    return [
        ("Throttled reads", throttled_reads(metrics)),
        ("Throttled writes", throttled_writes(metrics)),
    ]
