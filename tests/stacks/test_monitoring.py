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
from stacks.monitoring import log_metrics
from stacks.monitoring.alarm_definition import METRICS_PER_ALARM_MAX, RUNBOOK
from stacks.monitoring.dashboard import METRICS_MAX
from stacks.monitoring.throttling import HOT_TABLES
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
    composite = properties(variant, "AWS::CloudWatch::CompositeAlarm")
    for alarm in (*alarms, *composite):
        is_part = "-Slo" in alarm["AlarmName"] and alarm in alarms
        assert alarm.get("AlarmActions") == alarm.get("OKActions")
        assert len(alarm.get("AlarmActions", ())) == (0 if is_part else 1)
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


def test_dashboard_shows_throttled_writes_of_every_index_of_a_hot_table() -> None:
    """DynamoDB counts the throttling of an index under the index, not under its table."""
    shown = {
        frozenset(line[3:6:2])
        for widget in _widgets("prod", "Components")
        for line in widget["properties"].get("metrics", [])
        if "WriteThrottleEvents" in line and "GlobalSecondaryIndexName" in line
    }
    indexes = ((table, index) for table in HOT_TABLES for index in table.indexes)
    assert shown == {frozenset((index.name, table.name("prod"))) for table, index in indexes}


def test_dashboard_finds_realtime_metrics_under_any_dimensions() -> None:
    """AppSync's documentation lists real-time metrics under the API and the namespace."""
    widgets = _widgets("prod", "Components")
    plain = {line[1] for widget in widgets for line in widget["properties"].get("metrics", []) if len(line) > 2}
    assert not plain & {"ActiveConnections", "ActiveSubscriptions", "SubscribeClientError"}
    assert 'MetricName=(\\"ActiveConnections\\"' in json.dumps(widgets)


@every_variant
def test_no_alarm_has_more_metrics_than_cloudwatch_allows(variant: str) -> None:
    """CloudWatch service quotas: ten metrics per alarm; CloudFormation checks this only when it creates the alarm."""
    assert METRICS_PER_ALARM_MAX == 10
    for name, alarm in resources(variant, "AWS::CloudWatch::Alarm").items():
        metrics = [each for each in alarm["Properties"].get("Metrics", []) if "MetricStat" in each]
        assert len(metrics) <= METRICS_PER_ALARM_MAX, name


@every_variant
def test_failures_of_every_function_raise_an_alarm(variant: str) -> None:
    """Of a function without an alarm on its errors, another alarm shows the failure: see `alarms._function_alarms`."""
    if not settings_of(variant).operations.alarms:
        pytest.skip("the environment has no alarms")
    watched = {
        dimension["Value"].split("-")[1]
        for alarm in properties(variant, "AWS::CloudWatch::Alarm")
        for metric in _metrics(alarm)
        if (metric["Namespace"], metric["MetricName"]) == ("AWS/Lambda", "Errors")
        for dimension in metric["Dimensions"]
    }
    shown_by_other_alarms = {
        **dict.fromkeys(("messages", "conversations", "users", "calls"), "ApiErrors"),
        "deliver": "DeliveryLate",
        "relay": "RelayBehind",
        "ring_timeout": "CallsRingLate",
        "chime_events": "ChimeEventsDeadLetters",
    }
    alarms = {alarm["AlarmName"].split("-")[1] for alarm in properties(variant, "AWS::CloudWatch::Alarm")}
    assert set(shown_by_other_alarms.values()) <= alarms
    functions = {function["FunctionName"].split("-")[1] for function in properties(variant, "AWS::Lambda::Function")}
    without_schedule = set() if settings_of(variant).canary.minutes else {"canary"}
    assert functions == watched | set(shown_by_other_alarms) | without_schedule


@every_variant
def test_a_dashboard_shows_no_more_metrics_than_are_free(variant: str) -> None:
    found = properties(variant, "AWS::CloudWatch::Dashboard")
    assert bool(found) == settings_of(variant).operations.dashboards
    for dashboard in found:
        widgets = json.loads(str(readable(dashboard["DashboardBody"])))["widgets"]
        lines = [line for widget in widgets for line in widget["properties"].get("metrics", [])]
        assert 0 < len(lines) <= METRICS_MAX, dashboard["DashboardName"]


def test_alarm_on_the_objective_needs_a_window_and_that_it_goes_on() -> None:
    (alarm,) = properties("prod", "AWS::CloudWatch::CompositeAlarm")
    rule = re.sub(r"\$\{(\w+)\.Arn\}", r"\1", str(readable(alarm["AlarmRule"])))
    assert rule == '(ALARM("SloBurnsNow") AND (ALARM("SloFastBurn") OR ALARM("SloSlowBurn")))'


def test_budget_counts_the_environment_and_notifies_the_alarm_topic() -> None:
    (budget,) = properties("prod", "AWS::Budgets::Budget")
    assert budget["Budget"]["CostFilters"] == {"TagKeyValue": ["user:environment$prod"]}
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 50, "Unit": "USD"}
    kinds = [each["Notification"]["NotificationType"] for each in budget["NotificationsWithSubscribers"]]
    assert kinds == ["FORECASTED", "ACTUAL"]
    (topic,) = resources("prod", "AWS::SNS::Topic")
    for each in budget["NotificationsWithSubscribers"]:
        assert each["Subscribers"] == [{"SubscriptionType": "SNS", "Address": {"Ref": topic.split("/")[1]}}]
    (policy,) = properties("prod", "AWS::SNS::TopicPolicy")
    services = {_service(each) for each in policy["PolicyDocument"]["Statement"]}
    assert {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"} <= services


@every_variant
def test_sum_alarms_count_a_metric_without_data_as_zero(variant: str) -> None:
    for alarm in properties(variant, "AWS::CloudWatch::Alarm"):
        if "Metrics" in alarm:
            (expression,) = (each for each in alarm["Metrics"] if each.get("ReturnData"))
            ids = [each["Id"] for each in alarm["Metrics"] if "MetricStat" in each]
            assert expression["Expression"] == f"SUM([{', '.join(f'FILL({each}, 0)' for each in ids)}])"


@every_variant
def test_dashboard_rows_fill_the_width_below_their_headings(variant: str) -> None:
    for dashboard in properties(variant, "AWS::CloudWatch::Dashboard"):
        widgets = json.loads(str(readable(dashboard["DashboardBody"])))["widgets"]
        rows: dict[int, list[dict[str, Any]]] = {}
        for widget in widgets:
            rows.setdefault(widget["y"], []).append(widget)
        for number, row in enumerate(rows.values()):
            assert sum(widget["width"] for widget in row) == 24
            assert {widget["type"] for widget in row} == {"metric" if number % 2 else "text"}
            assert [widget["x"] for widget in row] == [index * row[0]["width"] for index in range(len(row))]


def _service(statement: dict[str, Any]) -> str:
    """Return the service that a statement is about; "" for any principal."""
    principal = statement["Principal"]
    return str(principal["Service"]) if "Service" in principal else ""


def _widgets(variant: str, name: str) -> list[dict[str, Any]]:
    """Return the widgets of one dashboard."""
    (dashboard,) = (
        each
        for each in properties(variant, "AWS::CloudWatch::Dashboard")
        if each["DashboardName"] == f"PantherKolab-{name}-{settings_of(variant).name}"
    )
    found: list[dict[str, Any]] = json.loads(str(readable(dashboard["DashboardBody"])))["widgets"]
    return found


def _metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    if "MetricName" in alarm:
        return [alarm]
    return [each["MetricStat"]["Metric"] for each in alarm["Metrics"] if "MetricStat" in each]
