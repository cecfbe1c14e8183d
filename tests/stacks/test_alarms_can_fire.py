"""Every alarm can fire: its metric exists, its period has values, and its threshold is reachable."""

from __future__ import annotations

from typing import Any

import pytest

from contract import canary
from stacks.monitoring.log_metrics import LOG_METRICS
from tests.stacks.synthesis import ALL, properties, settings_of

OF_AWS: dict[str, dict[str, tuple[set[str], ...]]] = {
    # AWS Lambda: types of metrics
    "AWS/Lambda": {
        "Errors": ({"FunctionName"},),
        "Throttles": ({"FunctionName"}, set()),
        "IteratorAge": ({"FunctionName"},),
    },
    # Amazon SQS: CloudWatch metrics
    "AWS/SQS": {
        "ApproximateNumberOfMessagesVisible": ({"QueueName"},),
        "ApproximateAgeOfOldestMessage": ({"QueueName"},),
    },
    # Amazon API Gateway: metrics of HTTP APIs
    "AWS/ApiGateway": {"5xx": ({"ApiId"},), "Latency": ({"ApiId"},)},
    # AWS AppSync: CloudWatch metrics of Event APIs
    "AWS/AppSync": {"5XXError": ({"EventAPIId"},), "FailedEvents": ({"EventAPIId", "ChannelNamespaceName"},)},
}
"""AWS's metrics with the sets of dimensions under which AWS writes them."""
OF_THE_CANARY = {canary.DELIVERY_METRIC, canary.BAD_RUN_METRIC}
DAY_SECONDS = 86_400

every_variant = pytest.mark.parametrize("variant", ALL)


def _metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the metrics of an alarm, each with its period and statistic."""
    if "MetricName" in alarm:
        return [alarm]
    parts = [each["MetricStat"] for each in alarm["Metrics"] if "MetricStat" in each]
    return [{**part["Metric"], "Period": part["Period"], "Statistic": part["Stat"]} for part in parts]


@every_variant
def test_metrics_of_alarms_exist(variant: str) -> None:
    settings = settings_of(variant)
    queues = {queue["QueueName"] for queue in properties(variant, "AWS::SQS::Queue")}
    functions = {function["FunctionName"] for function in properties(variant, "AWS::Lambda::Function")}
    counted = {
        each["MetricTransformations"][0]["MetricName"] for each in properties(variant, "AWS::Logs::MetricFilter")
    }
    assert counted <= {metric.name for metric in LOG_METRICS}
    for alarm in properties(variant, "AWS::CloudWatch::Alarm"):
        for metric in _metrics(alarm):
            dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", [])}
            if metric["Namespace"] == f"PantherKolab/{settings.name}":
                assert metric["MetricName"] in counted | OF_THE_CANARY, alarm["AlarmName"]
                assert dimensions == {}
                continue
            assert set(dimensions) in OF_AWS[metric["Namespace"]][metric["MetricName"]], alarm["AlarmName"]
            assert dimensions.get("QueueName") in {None, *queues}
            assert dimensions.get("FunctionName") in {None, *functions}


@every_variant
def test_periods_have_values_and_are_evaluated_within_a_day(variant: str) -> None:
    """CloudWatch evaluates at most a day of periods (PutMetricAlarm: EvaluationPeriods)."""
    minutes = settings_of(variant).canary.minutes
    for alarm in properties(variant, "AWS::CloudWatch::Alarm"):
        assert alarm.get("DatapointsToAlarm", 1) <= alarm["EvaluationPeriods"]
        for metric in _metrics(alarm):
            assert metric["Period"] % 60 == 0
            assert metric["Period"] * alarm["EvaluationPeriods"] <= DAY_SECONDS
            if metric["MetricName"] in OF_THE_CANARY:
                assert metric["Period"] >= minutes * 60, alarm["AlarmName"]


@every_variant
def test_only_the_failing_canary_fires_on_silence(variant: str) -> None:
    """Every other metric has no value while nothing happens, which is no failure."""
    breaching = {
        alarm["AlarmName"].split("-")[1]
        for alarm in properties(variant, "AWS::CloudWatch::Alarm")
        if alarm["TreatMissingData"] != "notBreaching"
    }
    settings = settings_of(variant)
    scheduled = settings.canary.enabled and settings.canary.minutes > 0 and settings.operations.alarms
    assert breaching == ({"CanaryFails"} if scheduled else set())


@every_variant
def test_percentiles_are_evaluated_with_few_values(variant: str) -> None:
    """With `ignore`, CloudWatch leaves out a p95 of fewer than 200 values: the alarm of the canary could never fire."""
    for alarm in properties(variant, "AWS::CloudWatch::Alarm"):
        assert alarm.get("EvaluateLowSampleCountPercentile", "evaluate") == "evaluate"


@every_variant
def test_a_share_of_runs_can_exceed_its_threshold(variant: str) -> None:
    for alarm in properties(variant, "AWS::CloudWatch::Alarm"):
        if alarm.get("MetricName") == canary.BAD_RUN_METRIC:
            assert alarm["Statistic"] == "Average"
            assert 0 <= alarm["Threshold"] < 1
