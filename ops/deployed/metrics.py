"""Reads sums and maxima of CloudWatch metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_QUERIES_MAX: Final = 500
"""Metrics of one request (Amazon CloudWatch: GetMetricData)."""


@dataclass(frozen=True)
class Metric:
    """One metric, and how its datapoints are summarised.

    Args:
        namespace, name, dimensions: as in CloudWatch.
        statistic: for example `Sum`, `Maximum` or `p95`.
    """

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    statistic: str = "Sum"


def function_metric(function: str, name: str, statistic: str = "Sum") -> Metric:
    """Return a metric of a Lambda function."""
    return Metric("AWS/Lambda", name, {"FunctionName": function}, statistic)


def read_metrics(client: Any, metrics: Sequence[Metric], minutes: int) -> list[float | None]:
    """Return the value of each metric over the last minutes: the sum of sums, the largest of anything else.

    Args:
        client: a CloudWatch client.
        metrics: at most 500.
        minutes: how far back.

    Returns:
        One value for each metric; None if it has no datapoint.

    Raises:
        botocore.exceptions.ClientError: CloudWatch refused the request.
    """
    now = datetime.now(UTC)
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": metric.namespace,
                    "MetricName": metric.name,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions.items()],
                },
                "Period": 300,
                "Stat": metric.statistic,
            },
        }
        for number, metric in enumerate(metrics[:_QUERIES_MAX])
    ]
    values: dict[str, list[float]] = {}
    pages = client.get_paginator("get_metric_data").paginate(
        StartTime=now - timedelta(minutes=minutes), EndTime=now, MetricDataQueries=queries
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            values.setdefault(result["Id"], []).extend(result["Values"])
    return [_summary(metric, values.get(f"m{number}", [])) for number, metric in enumerate(metrics)]


def _summary(metric: Metric, values: list[float]) -> float | None:
    if not values:
        return None
    return sum(values) if metric.statistic in ("Sum", "SampleCount") else max(values)
