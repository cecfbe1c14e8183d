"""Monitoring of every environment: metric filters, alarms and their recipients, the dashboard."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from contract.limits import (
    DELIVERY_PAUSE_SECONDS,
    REDELIVERY_SECONDS_MAX,
    RING_TIMER_PAUSE_SECONDS,
    RING_TIMER_RECEIVES_MAX,
)
from contract.tables import TABLES
from stacks.monitoring import log_metrics
from stacks.monitoring.alarm_definition import METRICS_PER_ALARM_MAX, RUNBOOK
from stacks.naming import DEAD_LETTER_QUEUES
from stacks.packaging import ROOT
from tests.stacks.synthesis import ALL, EVERYTHING, properties, readable, resources, settings_of

every_variant = pytest.mark.parametrize("variant", ALL)


@every_variant
def test_every_call_metric_is_counted_from_an_existing_log_group(variant: str) -> None:
    groups = {str(readable(group["LogGroupName"])) for group in properties(variant, "AWS::Logs::LogGroup")}
    filters = properties(variant, "AWS::Logs::MetricFilter")
    counted = {each["MetricTransformations"][0]["MetricName"] for each in filters}
    without_profile = {"ProfilesMissing"} if settings_of(variant).identity.source == "import" else set()
    assert counted == {metric.name for metric in log_metrics.LOG_METRICS} - without_profile
    assert {each["LogGroupName"] for each in filters} <= groups
    namespaces = {each["MetricTransformations"][0]["MetricNamespace"] for each in filters}
    assert namespaces == {f"PantherKolab/{settings_of(variant).name}"}


@every_variant
def test_every_alarm_notifies_the_topic_and_names_a_section_of_the_runbook(variant: str) -> None:
    alarms = properties(variant, "AWS::CloudWatch::Alarm")
    assert bool(alarms) == settings_of(variant).operations.alarms
    headings = re.findall(r"^### (.+)$", (ROOT / RUNBOOK).read_text(encoding="utf-8"), re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for alarm in alarms:
        assert alarm["AlarmActions"] == alarm["OKActions"]
        assert len(alarm["AlarmActions"]) == 1
        assert alarm["TreatMissingData"] == "notBreaching"
        description = str(readable(alarm["AlarmDescription"]))
        assert description.partition(f"{RUNBOOK}#")[2] in anchors, description


def test_alarm_recipients_subscribe_to_the_topic() -> None:
    recipients = {each["Endpoint"] for each in properties(EVERYTHING, "AWS::SNS::Subscription")}
    assert recipients == set(settings_of(EVERYTHING).operations.alarm_recipients)


@pytest.mark.parametrize("queue", DEAD_LETTER_QUEUES)
def test_first_dead_letter_raises_an_alarm(queue: str) -> None:
    dimensions = [{"Name": "QueueName", "Value": f"PantherKolab-{queue}-prod"}]
    alarms = [each for each in properties("prod", "AWS::CloudWatch::Alarm") if each.get("Dimensions") == dimensions]
    assert [(each["Threshold"], each["ComparisonOperator"]) for each in alarms] == [(0, "GreaterThanThreshold")]


@pytest.mark.parametrize(
    ("alarm_id", "queue", "delay", "pause", "attempts"),
    [
        ("DeliveryLate", "Delivery", 0, DELIVERY_PAUSE_SECONDS, 4),
        ("CallsRingLate", "RingTimeouts", 45, RING_TIMER_PAUSE_SECONDS, RING_TIMER_RECEIVES_MAX - 1),
    ],
)
def test_age_alarm_means_that_several_attempts_failed(
    alarm_id: str, queue: str, delay: int, pause: int, attempts: int
) -> None:
    """A failed message returns after a short pause. With the visibility timeout, one failure raised the alarm."""
    (alarm,) = (each for each in properties("prod", "AWS::CloudWatch::Alarm") if f"-{alarm_id}-" in each["AlarmName"])
    (visibility,) = (
        each["VisibilityTimeout"]
        for each in properties("prod", "AWS::SQS::Queue")
        if each["QueueName"] == f"PantherKolab-{queue}-prod"
    )
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": f"PantherKolab-{queue}-prod"}]
    pauses = sum(min(REDELIVERY_SECONDS_MAX, pause * 2**number) for number in range(attempts))
    assert delay + pauses < alarm["Threshold"] < delay + visibility


def test_throttled_writes_of_every_index_and_reads_of_every_queried_index_raise_an_alarm() -> None:
    """DynamoDB counts the throttling of an index under the index, not under its table."""
    watched = {
        (metric["MetricName"], dimensions["TableName"].split("-")[1], dimensions["GlobalSecondaryIndexName"])
        for alarm in properties("prod", "AWS::CloudWatch::Alarm")
        for metric in _metrics(alarm)
        if "GlobalSecondaryIndexName"
        in (dimensions := {each["Name"]: each["Value"] for each in metric.get("Dimensions", [])})
    }
    written = {("WriteThrottleEvents", table.entity, index.name) for table in TABLES for index in table.indexes}
    queried = {("Messages", "MessageIdIndex"), ("Outbox", "ByDue"), ("Calls", "ByDue")}
    assert watched == written | {("ReadThrottleEvents", *index) for index in queried}


def test_dashboard_finds_realtime_metrics_under_any_dimensions() -> None:
    """AppSync's documentation lists real-time metrics under the API and the namespace."""
    (dashboard,) = properties("prod", "AWS::CloudWatch::Dashboard")
    body = json.loads(str(readable(dashboard["DashboardBody"])))
    plain = {line[1] for widget in body["widgets"] for line in widget["properties"].get("metrics", []) if len(line) > 2}
    assert not plain & {"ActiveConnections", "ActiveSubscriptions", "SubscribeClientError"}
    assert 'MetricName=(\\"ActiveConnections\\"' in json.dumps(body)


@every_variant
def test_no_alarm_has_more_metrics_than_cloudwatch_allows(variant: str) -> None:
    """CloudWatch service quotas: ten metrics per alarm; CloudFormation checks this only when it creates the alarm."""
    assert METRICS_PER_ALARM_MAX == 10
    for name, alarm in resources(variant, "AWS::CloudWatch::Alarm").items():
        metrics = [each for each in alarm["Properties"].get("Metrics", []) if "MetricStat" in each]
        assert len(metrics) <= METRICS_PER_ALARM_MAX, name


@every_variant
def test_errors_and_throttles_of_every_function_raise_an_alarm(variant: str) -> None:
    functions = {function["FunctionName"] for function in properties(variant, "AWS::Lambda::Function")}
    watched = functions if settings_of(variant).operations.alarms else set()
    for metric_name in ("Errors", "Throttles"):
        found = [
            dimension["Value"]
            for alarm in properties(variant, "AWS::CloudWatch::Alarm")
            for metric in _metrics(alarm)
            if (metric["Namespace"], metric["MetricName"]) == ("AWS/Lambda", metric_name)
            for dimension in metric["Dimensions"]
        ]
        assert sorted(found) == sorted(watched)


@every_variant
def test_sum_alarms_count_a_metric_without_data_as_zero(variant: str) -> None:
    for alarm in properties(variant, "AWS::CloudWatch::Alarm"):
        if "Metrics" in alarm:
            (expression,) = (each for each in alarm["Metrics"] if each.get("ReturnData"))
            ids = [each["Id"] for each in alarm["Metrics"] if "MetricStat" in each]
            assert expression["Expression"] == f"SUM([{', '.join(f'FILL({each}, 0)' for each in ids)}])"


@every_variant
def test_dashboard_rows_fill_the_width_below_their_headings(variant: str) -> None:
    (dashboard,) = properties(variant, "AWS::CloudWatch::Dashboard")
    widgets = json.loads(str(readable(dashboard["DashboardBody"])))["widgets"]
    rows: dict[int, list[dict[str, Any]]] = {}
    for widget in widgets:
        rows.setdefault(widget["y"], []).append(widget)
    for number, row in enumerate(rows.values()):
        assert sum(widget["width"] for widget in row) == 24
        assert {widget["type"] for widget in row} == {"metric" if number % 2 else "text"}
        assert [widget["x"] for widget in row] == [index * row[0]["width"] for index in range(len(row))]


def _metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    if "MetricName" in alarm:
        return [alarm]
    return [each["MetricStat"]["Metric"] for each in alarm["Metrics"] if "MetricStat" in each]
