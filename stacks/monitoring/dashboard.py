"""The CloudWatch dashboards: what users experience, and how the components work.

Each refers to at most `METRICS_MAX` metrics: three such dashboards are free in every account (Amazon CloudWatch:
pricing, free tier).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch

from contract import canary, channels
from handlers import settings
from stacks.monitoring import log_metrics
from stacks.monitoring.metrics import Metrics
from stacks.monitoring.throttling import throttled_reads, throttled_writes
from stacks.naming import (
    DEAD_LETTER_QUEUES,
    DELIVERY_QUEUE,
    RING_TIMEOUTS_QUEUE,
)

METRICS_MAX: Final = 50
_COLUMNS: Final = 24
_GRAPH_HEIGHT: Final = 6
_BILLED: Final = ("AmazonCloudWatch", "AWSLambda", "AmazonDynamoDB", "AmazonApiGateway", "AWSAppSync", "AmazonChime")
"""The services of the bill with the largest shares, by their names in AWS Billing."""

_Graph = tuple[str, Sequence[cloudwatch.IMetric]]
"""The title of a graph, and its metrics."""
_Sections = Sequence[tuple[str, Sequence[_Graph]]]


def dashboards(metrics: Metrics) -> Mapping[str, list[list[cloudwatch.IWidget]]]:
    """Return the widgets of each dashboard by its name, row by row: each heading is followed by a row of graphs."""
    canary_section = [("Canary", _canary_graphs(metrics))] if metrics.has_canary else []
    return {
        "Product": _rows(
            [
                *canary_section,
                ("Requests", _http_api_graphs(metrics)),
                ("Event delivery", _delivery_graphs(metrics)),
                ("Calls", _call_graphs(metrics)),
                ("Cost", _cost_graphs(metrics)),
            ]
        ),
        "Components": _rows(
            [
                ("Lambda functions", _function_graphs(metrics)),
                ("Event API", _event_api_graphs(metrics)),
                ("Call maintenance", _maintenance_graphs(metrics)),
                ("DynamoDB tables", _table_graphs(metrics)),
            ]
        ),
    }


def _rows(sections: _Sections) -> list[list[cloudwatch.IWidget]]:
    rows: list[list[cloudwatch.IWidget]] = []
    for heading, graphs in sections:
        rows.append([cloudwatch.TextWidget(markdown=f"## {heading}", width=_COLUMNS, height=1)])
        rows.append(
            [
                cloudwatch.GraphWidget(title=title, left=left, width=_COLUMNS // len(graphs), height=_GRAPH_HEIGHT)
                for title, left in graphs
            ]
        )
    return rows


def _canary_graphs(metrics: Metrics) -> list[_Graph]:
    function = settings.CanarySettings.function
    return [
        (
            "Delivery, from send to receipt (ms)",
            [metrics.canary(canary.DELIVERY_METRIC, statistic) for statistic in ("p50", "p95", "Maximum")],
        ),
        (f"Share of bad runs, at most {100 - canary.OBJECTIVE_PERCENT:g} %", [_bad_share(metrics)]),
        ("Runs and failed runs", [metrics.function(function, name) for name in ("Invocations", "Errors")]),
    ]


def _bad_share(metrics: Metrics) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(
        expression="100 * bad",
        using_metrics={"bad": metrics.canary(canary.BAD_RUN_METRIC, "Average")},
        label="bad runs (%)",
    )


def _http_api_graphs(metrics: Metrics) -> list[_Graph]:
    return [
        ("Requests and errors", [metrics.http_api(name) for name in ("Count", "4xx", "5xx")]),
        ("Latency (ms)", [metrics.http_api("Latency", statistic) for statistic in ("p50", "p95", "p99")]),
    ]


def _delivery_graphs(metrics: Metrics) -> list[_Graph]:
    return [
        (
            "Dead letters and given-up events",
            [
                *(metrics.queue(queue, "ApproximateNumberOfMessagesVisible") for queue in DEAD_LETTER_QUEUES),
                metrics.logged(log_metrics.GIVEN_UP),
            ],
        ),
        (
            "Queued events",
            [metrics.queue(DELIVERY_QUEUE, "ApproximateNumberOfMessagesVisible")],
        ),
        ("Age of the oldest queued event (s)", [metrics.queue(DELIVERY_QUEUE, "ApproximateAgeOfOldestMessage")]),
        ("Relay lag (ms)", [metrics.function(settings.RelaySettings.function, "IteratorAge", "Maximum")]),
    ]


def _call_graphs(metrics: Metrics) -> list[_Graph]:
    return [
        ("Ring funnel", [metrics.logged(metric) for metric in log_metrics.RING_FUNNEL]),
        (
            "Time to answer (ms)",
            [metrics.logged(log_metrics.TIME_TO_ANSWER, statistic) for statistic in ("p50", "p95")],
        ),
        ("Call duration (s)", [metrics.logged(log_metrics.DURATION, statistic) for statistic in ("p50", "Maximum")]),
    ]


def _cost_graphs(metrics: Metrics) -> list[_Graph]:
    return [("Bill of the account this month (US dollars)", [metrics.bill(service) for service in _BILLED])]


def _function_graphs(metrics: Metrics) -> list[_Graph]:
    return [
        ("Errors", [metrics.function(name, "Errors") for name in metrics.functions]),
        ("Duration p95 (ms)", [metrics.function(name, "Duration", "p95") for name in metrics.functions]),
        ("Throttles of the account", [metrics.account_throttles()]),
    ]


def _maintenance_graphs(metrics: Metrics) -> list[_Graph]:
    return [
        ("Overdue and stuck calls", [metrics.logged(log_metrics.OVERDUE), metrics.logged(log_metrics.STUCK)]),
        ("Ring timer age (s)", [metrics.queue(RING_TIMEOUTS_QUEUE, "ApproximateAgeOfOldestMessage")]),
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
        ("Failed events", [metrics.namespace(namespace, "FailedEvents") for namespace in channels.NAMESPACES]),
    ]


def _table_graphs(metrics: Metrics) -> list[_Graph]:
    return [
        ("Throttled reads", throttled_reads(metrics)),
        ("Throttled writes", throttled_writes(metrics)),
    ]
