"""What every environment promises. How it runs: queues, functions, logs, alarms, addresses."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from stacks.monitoring import call_metrics
from stacks.monitoring.alarms import RUNBOOK
from stacks.packaging import ROOT
from stacks.policy.permissions import FUNCTIONS
from tests.stacks.synthesis import ALL, EVERYTHING, properties, readable, resources, settings_of, templates

every_variant = pytest.mark.parametrize("variant", ALL)


@every_variant
def test_queues_are_encrypted_and_refuse_plain_http(variant: str) -> None:
    queues = resources(variant, "AWS::SQS::Queue")
    assert len(queues) == 4
    assert all(queue["Properties"]["SqsManagedSseEnabled"] is True for queue in queues.values())
    guarded = set()
    for policy in properties(variant, "AWS::SQS::QueuePolicy"):
        denied, *let_in = policy["PolicyDocument"]["Statement"]
        assert (denied["Effect"], denied["Action"]) == ("Deny", "sqs:*")
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in let_in:
            assert statement["Action"] == "sqs:SendMessage"
            assert statement["Principal"] == {"Service": "events.amazonaws.com"}
            assert set(statement["Condition"]["ArnEquals"]) == {"aws:SourceArn"}
        guarded |= {f"Routes/{queue['Ref']}" for queue in policy["Queues"]}
    assert guarded == set(queues)


@every_variant
def test_the_delivery_queue_gives_up_to_dead_letters_and_leaves_time_to_work(variant: str) -> None:
    queues = {queue["QueueName"].split("-")[1]: queue for queue in properties(variant, "AWS::SQS::Queue")}
    assert queues["Delivery"]["RedrivePolicy"]["maxReceiveCount"] == 5
    assert queues["DeliveryDeadLetters"]["MessageRetentionPeriod"] == 14 * 24 * 3600
    deliver = _function(variant, "deliver")
    assert queues["Delivery"]["VisibilityTimeout"] >= 6 * deliver["Timeout"]
    mapping = _source(variant, "Delivery")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 20}


@every_variant
def test_a_ring_timer_comes_again_until_it_is_served_and_waits_for_no_other(variant: str) -> None:
    queues = {queue["QueueName"].split("-")[1]: queue for queue in properties(variant, "AWS::SQS::Queue")}
    rings = queues["RingTimeouts"]
    assert rings["RedrivePolicy"]["maxReceiveCount"] == 5
    assert "CallsDeadLetters" in readable(rings["RedrivePolicy"]["deadLetterTargetArn"])
    assert rings["VisibilityTimeout"] >= 6 * _function(variant, "ring_timeout")["Timeout"]
    assert queues["CallsDeadLetters"]["MessageRetentionPeriod"] == 14 * 24 * 3600
    mapping = _source(variant, "RingTimeouts")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == 1
    assert "MaximumBatchingWindowInSeconds" not in mapping


@every_variant
def test_calls_ring_as_long_as_the_environment_says_and_no_longer_than_a_queue_can_wait(variant: str) -> None:
    seconds = settings_of(variant).calls.ring_timeout_seconds
    assert _function(variant, "calls")["Environment"]["Variables"]["RING_TIMEOUT_SECONDS"] == str(seconds)
    assert seconds <= 900


@every_variant
def test_chimes_events_about_meetings_reach_their_function_or_the_dead_letters(variant: str) -> None:
    (rule,) = (each for each in properties(variant, "AWS::Events::Rule") if "EventPattern" in each)
    assert rule["EventPattern"] == {
        "source": ["aws.chime"],
        "detail-type": ["Chime Meeting State Change"],
        "detail": {"eventType": ["chime:MeetingEnded", "chime:AttendeeLeft"]},
    }
    (target,) = rule["Targets"]
    function = _function(variant, "chime_events")
    for letters in (target["DeadLetterConfig"]["Arn"], function["DeadLetterConfig"]["TargetArn"]):
        assert "CallsDeadLetters" in str(readable(letters))


@every_variant
def test_what_nobody_ended_is_looked_for_every_minute(variant: str) -> None:
    scheduled = [each for each in properties(variant, "AWS::Events::Rule") if "ScheduleExpression" in each]
    assert {each["ScheduleExpression"] for each in scheduled} == {"rate(1 minute)"}
    assert {each["Name"].split("-")[1] for each in scheduled} == {"Sweep", "CallSweep"}
    for name in ("sweep", "call_sweep"):
        assert _function(variant, name)["Timeout"] < 60


@every_variant
def test_a_route_function_ends_before_the_api_gives_up_on_it(variant: str) -> None:
    longest = max(_function(variant, name)["Timeout"] for name in ("messages", "conversations", "users", "calls"))
    for integration in properties(variant, "AWS::ApiGatewayV2::Integration"):
        assert longest * 1000 < integration["TimeoutInMillis"] <= 30_000


@every_variant
def test_every_step_of_the_ring_funnel_is_counted_from_a_log_that_exists(variant: str) -> None:
    groups = {str(readable(group["LogGroupName"])) for group in properties(variant, "AWS::Logs::LogGroup")}
    filters = properties(variant, "AWS::Logs::MetricFilter")
    counted = {each["MetricTransformations"][0]["MetricName"] for each in filters}
    assert counted == {step.metric for step in call_metrics.STEPS}
    assert {each["LogGroupName"] for each in filters} <= groups
    namespaces = {each["MetricTransformations"][0]["MetricNamespace"] for each in filters}
    assert namespaces == {f"PantherKolab/{settings_of(variant).name}"}


@every_variant
def test_the_relay_sees_only_new_records_and_gives_up_to_dead_letters(variant: str) -> None:
    mapping = next(
        each for each in properties(variant, "AWS::Lambda::EventSourceMapping") if "StartingPosition" in each
    )
    assert mapping["FilterCriteria"] == {"Filters": [{"Pattern": '{"eventName":["INSERT"]}'}]}
    assert mapping["BisectBatchOnFunctionError"] is True
    assert readable(mapping["DestinationConfig"])["OnFailure"]["Destination"].startswith(
        "${DeliveryDeliveryDeadLetters"
    )


@every_variant
def test_the_stage_throttles_and_logs_every_request(variant: str) -> None:
    (stage,) = properties(variant, "AWS::ApiGatewayV2::Stage")
    settings = settings_of(variant)
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == settings.api.throttle_rate
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == settings.api.throttle_burst
    logged = json.loads(stage["AccessLogSettings"]["Format"])
    assert {"requestId", "routeKey", "status", "sub", "responseLatency", "integrationLatency"} <= set(logged)
    assert not {"authorization", "body"} & {value.lower() for value in logged.values()}


@every_variant
def test_every_function_has_a_role_and_a_log_group_of_its_own(variant: str) -> None:
    functions = properties(variant, "AWS::Lambda::Function")
    created = settings_of(variant).identity.source == "create"
    expected = set(FUNCTIONS) - (set() if created else {"profile"})
    assert {function["FunctionName"].split("-")[1] for function in functions} == expected
    for attribute in ("Role", "LoggingConfig"):
        assert len({json.dumps(function[attribute]) for function in functions}) == len(functions)
    for function in functions:
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        assert function["MemorySize"] == settings_of(variant).functions.memory_mb


@every_variant
def test_no_log_is_kept_for_ever_or_made_by_a_service(variant: str) -> None:
    groups = properties(variant, "AWS::Logs::LogGroup")
    assert {group["RetentionInDays"] for group in groups} == {settings_of(variant).operations.log_retention_days}
    assert len(groups) == len(properties(variant, "AWS::Lambda::Function")) + 2
    assert not resources(variant, "Custom::LogRetention")


@every_variant
def test_every_alarm_tells_somebody_what_to_do(variant: str) -> None:
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


def test_alarms_reach_the_recipients() -> None:
    recipients = {each["Endpoint"] for each in properties(EVERYTHING, "AWS::SNS::Subscription")}
    assert recipients == set(settings_of(EVERYTHING).operations.alarm_recipients)


@pytest.mark.parametrize(("name", "queue"), [("DeadLetters", "DeliveryDeadLetters"), ("CallsDeadLetters",) * 2])
def test_a_first_dead_letter_raises_an_alarm(name: str, queue: str) -> None:
    (alarm,) = (each for each in properties("prod", "AWS::CloudWatch::Alarm") if f"-{name}-" in each["AlarmName"])
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": f"PantherKolab-{queue}-prod"}]


def test_snap_start_serves_routes_through_an_alias() -> None:
    versioned = [each for each in properties(EVERYTHING, "AWS::Lambda::Function") if "SnapStart" in each]
    assert {each["FunctionName"].split("-")[1] for each in versioned} == {
        "messages",
        "conversations",
        "users",
        "calls",
    }
    aliases = {f"${{{name.partition('/')[2]}}}" for name in resources(EVERYTHING, "AWS::Lambda::Alias")}
    targets = {readable(each["IntegrationUri"]) for each in properties(EVERYTHING, "AWS::ApiGatewayV2::Integration")}
    assert targets == aliases


def test_custom_domains_are_what_clients_are_told() -> None:
    told = {**templates(EVERYTHING)["Events"]["Outputs"], **templates(EVERYTHING)["Routes"]["Outputs"]}
    assert told["ApiAddress"]["Value"] == "https://api.example.edu"
    assert told["EventsHttpEndpoint"]["Value"] == "https://events.example.edu/event"
    assert told["EventsRealtimeEndpoint"]["Value"] == "wss://events.example.edu/event/realtime"
    endpoints = {
        readable(function["Environment"]["Variables"]["EVENTS_HTTP_ENDPOINT"])
        for function in properties(EVERYTHING, "AWS::Lambda::Function")
        if "EVENTS_HTTP_ENDPOINT" in function["Environment"]["Variables"]
    }
    assert len(endpoints) == 1
    assert "DnsHttp" in endpoints.pop()


def _function(variant: str, name: str) -> dict[str, Any]:
    return next(each for each in properties(variant, "AWS::Lambda::Function") if f"-{name}-" in each["FunctionName"])


def _source(variant: str, queue: str) -> dict[str, Any]:
    """Return what feeds a function from a queue."""
    for each in properties(variant, "AWS::Lambda::EventSourceMapping"):
        if re.fullmatch(rf"\$\{{\w*?{queue}[0-9A-F]{{8}}\.Arn\}}", str(readable(each["EventSourceArn"]))):
            return each
    raise AssertionError(f"nothing reads {queue}")
