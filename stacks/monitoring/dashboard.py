"""The dashboard: one row for each question people ask first, as the body of a CloudWatch dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from contract import channels
from contract.tables import TABLES
from handlers import settings
from stacks.constructs import call_maintenance
from stacks.constructs.delivery import DEAD_LETTERS, QUEUE
from stacks.monitoring import call_metrics
from stacks.monitoring.alarms import Metric
from stacks.monitoring.metrics import Metrics

_COLUMNS: Final = 24
_WIDGET_HEIGHT: Final = 6

Widget = tuple[str, Sequence[Metric]]
"""Title, and the metrics that it draws."""


def body(metrics: Metrics, functions: Sequence[str], region: str) -> dict[str, Any]:
    """Return the dashboard's body (Amazon CloudWatch: dashboard body structure and syntax).

    Args:
        metrics: the environment's metrics.
        functions: names of its functions.
        region: where the metrics are.
    """
    widgets = []
    top = 0
    for title, row in _rows(metrics, functions):
        widgets.append(_heading(title, top))
        width = _COLUMNS // len(row)
        widgets += [_graph(widget, region, width * column, top + 1, width) for column, widget in enumerate(row)]
        top += 1 + _WIDGET_HEIGHT
    return {"widgets": widgets}


def _rows(metrics: Metrics, functions: Sequence[str]) -> list[tuple[str, list[Widget]]]:
    relay = settings.RelaySettings.function
    return [
        (
            "Do requests succeed, and how fast?",
            [
                ("Requests and errors", [metrics.api(name) for name in ("Count", "4xx", "5xx")]),
                ("Latency (ms)", [metrics.api("Latency", statistic) for statistic in ("p50", "p95", "p99")]),
            ],
        ),
        (
            "Do the functions work?",
            [
                ("Errors", [metrics.function(name, "Errors") for name in functions]),
                ("Duration p95 (ms)", [metrics.function(name, "Duration", "p95") for name in functions]),
                ("Throttles", [metrics.function(name, "Throttles") for name in functions]),
            ],
        ),
        (
            "Is every event delivered?",
            [
                (
                    "Waiting and dead",
                    [metrics.queue(queue, "ApproximateNumberOfMessagesVisible") for queue in (QUEUE, DEAD_LETTERS)],
                ),
                ("Oldest waiting (s)", [metrics.queue(QUEUE, "ApproximateAgeOfOldestMessage")]),
                ("Relay behind (ms)", [metrics.function(relay, "IteratorAge", "Maximum")]),
            ],
        ),
        ("How far do calls come?", _call_widgets(metrics)),
        ("Are the channels well?", _channel_widgets(metrics)),
        (
            "Is the database well?",
            [
                ("Throttled reads", [metrics.table(table, "ReadThrottleEvents") for table in TABLES]),
                ("Throttled writes", [metrics.table(table, "WriteThrottleEvents") for table in TABLES]),
            ],
        ),
    ]


def _call_widgets(metrics: Metrics) -> list[Widget]:
    names = metrics.names
    waiting, dead = call_maintenance.QUEUE, call_maintenance.DEAD_LETTERS
    return [
        ("Ring funnel", [call_metrics.metric(names, step) for step in call_metrics.FUNNEL]),
        (
            "Time to answer (ms)",
            [call_metrics.metric(names, call_metrics.TIME_TO_ANSWER, statistic) for statistic in ("p50", "p95")],
        ),
        (
            "Duration (s)",
            [call_metrics.metric(names, call_metrics.DURATION, statistic) for statistic in ("p50", "Maximum")],
        ),
        (
            "Stuck and dead",
            [
                *(call_metrics.metric(names, step) for step in (call_metrics.OVERDUE, call_metrics.STUCK)),
                metrics.queue(waiting, "ApproximateAgeOfOldestMessage"),
                metrics.queue(dead, "ApproximateNumberOfMessagesVisible"),
            ],
        ),
    ]


def _channel_widgets(metrics: Metrics) -> list[Widget]:
    connections = ("ActiveConnections", "ActiveSubscriptions")
    refusals = ("4XXError", "5XXError", "ConnectClientError", "SubscribeClientError", "PublishClientError")
    return [
        ("Connected", [metrics.events(name, "Maximum") for name in connections]),
        ("Refusals and errors", [metrics.events(name) for name in refusals]),
        (
            "Handled events",
            [
                metrics.events(name, namespace=namespace)
                for namespace in channels.NAMESPACES
                for name in ("SuccessfulEvents", "FailedEvents")
            ],
        ),
    ]


def _heading(title: str, top: int) -> dict[str, Any]:
    return {
        "type": "text",
        "x": 0,
        "y": top,
        "width": _COLUMNS,
        "height": 1,
        "properties": {"markdown": f"## {title}"},
    }


def _graph(widget: Widget, region: str, left: int, top: int, width: int) -> dict[str, Any]:
    title, metrics = widget
    return {
        "type": "metric",
        "x": left,
        "y": top,
        "width": width,
        "height": _WIDGET_HEIGHT,
        "properties": {
            "title": title,
            "region": region,
            "view": "timeSeries",
            "metrics": [_line(metric) for metric in metrics],
        },
    }


def _line(metric: Metric) -> list[Any]:
    pairs = [part for dimension in metric.dimensions.items() for part in dimension]
    return [metric.namespace, metric.name, *pairs, {"stat": metric.statistic}]
