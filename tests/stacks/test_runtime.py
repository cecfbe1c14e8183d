"""Runtime of every environment: queues, functions, schedules, the API stage, logs and outputs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from contract.limits import (
    DELIVERY_INVOCATIONS_MAX,
    DELIVERY_RECEIVES_MAX,
    PUBLISH_CONCURRENCY,
    RING_TIMER_RECEIVES_MAX,
)
from stacks.app import compose
from stacks.naming import AUDIT_LOG, DEAD_LETTER_QUEUES, Names
from stacks.packaging import Asset
from stacks.policy.permissions import FUNCTIONS
from tests.stacks.synthesis import ALL, EVERYTHING, properties, readable, resources, settings_of, templates

every_variant = pytest.mark.parametrize("variant", ALL)


@every_variant
def test_queues_are_encrypted_and_refuse_plain_http(variant: str) -> None:
    queues = resources(variant, "AWS::SQS::Queue")
    assert len(queues) == 7
    assert all(queue["Properties"]["SqsManagedSseEnabled"] is True for queue in queues.values())
    guarded = set()
    for policy in properties(variant, "AWS::SQS::QueuePolicy"):
        denied, *allowed = policy["PolicyDocument"]["Statement"]
        assert (denied["Effect"], denied["Action"]) == ("Deny", "sqs:*")
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in allowed:
            assert statement["Action"] == "sqs:SendMessage"
            assert statement["Principal"] == {"Service": "events.amazonaws.com"}
            assert set(statement["Condition"]["ArnEquals"]) == {"aws:SourceArn"}
        guarded |= {f"Routes/{queue['Ref']}" for queue in policy["Queues"]}
    assert guarded == set(queues)


@every_variant
def test_delivery_queue_has_dead_letters_and_a_visibility_timeout_longer_than_its_function(variant: str) -> None:
    queues = {queue["QueueName"].split("-")[1]: queue for queue in properties(variant, "AWS::SQS::Queue")}
    assert queues["Delivery"]["RedrivePolicy"]["maxReceiveCount"] == DELIVERY_RECEIVES_MAX
    assert queues["DeliveryDeadLetters"]["MessageRetentionPeriod"] == 14 * 24 * 3600
    deliver = _function(variant, "deliver")
    assert queues["Delivery"]["VisibilityTimeout"] >= 6 * deliver["Timeout"]
    mapping = _source_mapping(variant, "Delivery")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": DELIVERY_INVOCATIONS_MAX}


def test_concurrent_deliveries_stay_within_the_quota_of_publishes() -> None:
    """AppSync Events: 10,000 inbound events a second. With 20 invocations, 500 publishes ran at once."""
    publishes, seconds_each = DELIVERY_INVOCATIONS_MAX * PUBLISH_CONCURRENCY, 0.02
    assert publishes / seconds_each <= 10_000


@every_variant
def test_ring_timer_is_retried_and_processed_in_a_batch_of_its_own(variant: str) -> None:
    queues = {queue["QueueName"].split("-")[1]: queue for queue in properties(variant, "AWS::SQS::Queue")}
    ring_timeouts = queues["RingTimeouts"]
    assert ring_timeouts["RedrivePolicy"]["maxReceiveCount"] == RING_TIMER_RECEIVES_MAX
    assert "RingTimeoutsDeadLetters" in readable(ring_timeouts["RedrivePolicy"]["deadLetterTargetArn"])
    assert ring_timeouts["VisibilityTimeout"] >= 6 * _function(variant, "ring_timeout")["Timeout"]
    assert queues["RingTimeoutsDeadLetters"]["MessageRetentionPeriod"] == 14 * 24 * 3600
    mapping = _source_mapping(variant, "RingTimeouts")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == 1
    assert "MaximumBatchingWindowInSeconds" not in mapping


@every_variant
def test_ring_timeout_is_the_configured_one_and_within_the_delay_limit_of_sqs(variant: str) -> None:
    seconds = settings_of(variant).calls.ring_timeout_seconds
    assert _function(variant, "calls")["Environment"]["Variables"]["RING_TIMEOUT_SECONDS"] == str(seconds)
    assert seconds <= 900


@every_variant
def test_chime_events_reach_their_function_or_the_dead_letter_queue(variant: str) -> None:
    (rule,) = (each for each in properties(variant, "AWS::Events::Rule") if "EventPattern" in each)
    assert rule["EventPattern"] == {
        "source": ["aws.chime"],
        "detail-type": ["Chime Meeting State Change"],
        "detail": {"eventType": ["chime:MeetingEnded", "chime:AttendeeLeft"]},
    }
    (target,) = rule["Targets"]
    function = _function(variant, "chime_events")
    assert "ChimeRuleDeadLetters" in str(readable(target["DeadLetterConfig"]["Arn"]))
    assert "ChimeEventsDeadLetters" in str(readable(function["DeadLetterConfig"]["TargetArn"]))


@every_variant
def test_every_dead_letter_queue_serves_one_source(variant: str) -> None:
    """SQS redrives the dead letters of a queue only, and none of a queue that has messages of other sources too."""
    sources = [
        *(each.get("RedrivePolicy", {}).get("deadLetterTargetArn") for each in properties(variant, "AWS::SQS::Queue")),
        *(
            each.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
            for each in properties(variant, "AWS::Lambda::EventSourceMapping")
        ),
        *(each.get("DeadLetterConfig", {}).get("TargetArn") for each in properties(variant, "AWS::Lambda::Function")),
        *(
            target.get("DeadLetterConfig", {}).get("Arn")
            for rule in properties(variant, "AWS::Events::Rule")
            for target in rule["Targets"]
        ),
    ]
    used = [str(readable(source)) for source in sources if source]
    assert len(used) == len(set(used)) == len(DEAD_LETTER_QUEUES)


@every_variant
def test_sweeps_run_every_minute_and_end_before_the_next_run(variant: str) -> None:
    rules = [each for each in properties(variant, "AWS::Events::Rule") if "ScheduleExpression" in each]
    scheduled = {each["Name"].split("-")[1]: each["ScheduleExpression"] for each in rules}
    canary = settings_of(variant).canary
    assert ("Canary" in scheduled) == (canary.enabled and canary.minutes > 0)
    minutes = {"rate(1 minute)": 1, "rate(5 minutes)": 5}
    assert minutes.get(scheduled.pop("Canary", ""), canary.minutes) == canary.minutes
    assert scheduled == {"Sweep": "rate(1 minute)", "CallSweep": "rate(1 minute)"}
    for name in ("sweep", "call_sweep", *(("canary",) if canary.enabled else ())):
        assert _function(variant, name)["Timeout"] < 60


@every_variant
def test_stale_events_of_schedules_are_dropped_and_events_of_chime_are_retried_for_an_hour(variant: str) -> None:
    """EventBridge's own retry settings cover only the hand-over to Lambda, which queues and retries events itself."""
    invoked_by_rules = {
        str(readable(target["Arn"])).strip("${}").partition(".")[0]
        for rule in properties(variant, "AWS::Events::Rule")
        for target in rule["Targets"]
    }
    names = {
        name.split("/")[1]: function["Properties"]["FunctionName"].split("-")[1]
        for name, function in resources(variant, "AWS::Lambda::Function").items()
    }
    assert invoked_by_rules <= set(names)
    configured = {
        names[each["FunctionName"]["Ref"]]: (each["MaximumRetryAttempts"], each["MaximumEventAgeInSeconds"])
        for each in properties(variant, "AWS::Lambda::EventInvokeConfig")
    }
    canary = {"canary": (0, 60)} if settings_of(variant).canary.enabled else {}
    assert configured == {"sweep": (0, 60), "call_sweep": (0, 60), "chime_events": (2, 3600), **canary}


@every_variant
def test_route_functions_time_out_before_the_api_does(variant: str) -> None:
    longest = max(_function(variant, name)["Timeout"] for name in ("messages", "conversations", "users", "calls"))
    for integration in properties(variant, "AWS::ApiGatewayV2::Integration"):
        assert longest * 1000 < integration["TimeoutInMillis"] <= 30_000


@every_variant
def test_relay_receives_new_records_only_and_has_dead_letters(variant: str) -> None:
    mapping = next(
        each for each in properties(variant, "AWS::Lambda::EventSourceMapping") if "StartingPosition" in each
    )
    assert mapping["FilterCriteria"] == {"Filters": [{"Pattern": '{"eventName":["INSERT"]}'}]}
    assert mapping["BisectBatchOnFunctionError"] is True
    assert readable(mapping["DestinationConfig"])["OnFailure"]["Destination"].startswith("${DeliveryRelayDeadLetters")


@every_variant
def test_stage_throttles_and_logs_requests_without_their_content(variant: str) -> None:
    (stage,) = properties(variant, "AWS::ApiGatewayV2::Stage")
    settings = settings_of(variant)
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == settings.api.throttle_rate
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] == settings.api.throttle_burst
    assert stage["DefaultRouteSettings"]["DetailedMetricsEnabled"] is False, "nothing reads the metrics of each route"
    logged = json.loads(stage["AccessLogSettings"]["Format"])
    assert {"requestId", "routeKey", "status", "sub", "responseLatency", "integrationLatency"} <= set(logged)
    assert not {"authorization", "body"} & {value.lower() for value in logged.values()}


@every_variant
def test_every_function_has_its_own_role_and_log_group(variant: str) -> None:
    functions = properties(variant, "AWS::Lambda::Function")
    created, canary = settings_of(variant).identity.source == "create", settings_of(variant).canary.enabled
    expected = set(FUNCTIONS) - (set() if created else {"profile"}) - (set() if canary else {"canary"})
    expected -= set() if settings_of(variant).cutover.bridge else {"bridge"}
    assert {function["FunctionName"].split("-")[1] for function in functions} == expected
    for attribute in ("Role", "LoggingConfig"):
        assert len({json.dumps(function[attribute]) for function in functions}) == len(functions)
    for function in functions:
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert function["LoggingConfig"]["LogFormat"] == "JSON"
        assert function["MemorySize"] == settings_of(variant).functions.memory_mb


@every_variant
def test_every_log_group_belongs_to_a_stack_and_expires(variant: str) -> None:
    groups = {readable(each["LogGroupName"]): each for each in properties(variant, "AWS::Logs::LogGroup")}
    audit = groups.pop(Names(settings_of(variant).name).of(AUDIT_LOG))
    assert audit["RetentionInDays"] == 731, "what operators did is kept for two years"
    assert {each["RetentionInDays"] for each in groups.values()} == {settings_of(variant).operations.log_retention_days}
    assert len(groups) == len(properties(variant, "AWS::Lambda::Function")) + 2
    assert not resources(variant, "Custom::LogRetention")


def test_snap_start_routes_invoke_an_alias() -> None:
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


@every_variant
def test_users_function_asks_the_region_of_the_pool(variant: str) -> None:
    """The pool answers only in its own region; an imported pool may be in another region than the stacks."""
    imported = settings_of(variant).identity.source == "import"
    variables = readable(_function(variant, "users")["Environment"]["Variables"])
    assert variables["POOL_REGION"] == ("eu-west-1" if imported else "${AWS::Region}")
    outputs = readable(templates(variant)["Identity"]["Outputs"])
    assert outputs["Region"]["Value"] == variables["POOL_REGION"]
    assert outputs["StackRegion"]["Value"] == "${AWS::Region}"


def test_every_stack_records_the_deployed_revision_and_no_other_template_depends_on_it(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path / "cdk.out"), analytics_reporting=False, builtin_cloud_formation_validation=False)
    (tmp_path / "package").mkdir()
    stacks = compose(app, settings_of("dev"), Asset(tmp_path / "package", "0" * 64), "v1.0-3-g0123456789ab")
    app.synth()
    for stack in stacks.all():
        template = json.loads((tmp_path / "cdk.out" / stack.template_file).read_text(encoding="utf-8"))
        assert template["Outputs"]["Revision"]["Value"] == "v1.0-3-g0123456789ab"
    assert all("Revision" not in template.get("Outputs", {}) for template in templates("dev").values())


def test_outputs_contain_the_custom_domains() -> None:
    outputs = {**templates(EVERYTHING)["Events"]["Outputs"], **templates(EVERYTHING)["Routes"]["Outputs"]}
    assert outputs["ApiAddress"]["Value"] == "https://api.example.edu"
    assert outputs["EventsHttpEndpoint"]["Value"] == "https://events.example.edu/event"
    assert outputs["EventsRealtimeEndpoint"]["Value"] == "wss://events.example.edu/event/realtime"
    endpoints = {
        readable(function["Environment"]["Variables"]["EVENTS_HTTP_ENDPOINT"])
        for function in properties(EVERYTHING, "AWS::Lambda::Function")
        if "EVENTS_HTTP_ENDPOINT" in function["Environment"]["Variables"] and "-canary-" not in function["FunctionName"]
    }
    assert len(endpoints) == 1
    canary = readable(_function(EVERYTHING, "canary")["Environment"]["Variables"])
    assert canary["API_ADDRESS"] == outputs["ApiAddress"]["Value"]
    assert canary["EVENTS_REALTIME_ENDPOINT"] == outputs["EventsRealtimeEndpoint"]["Value"]
    assert "DnsHttp" in endpoints.pop()


def _function(variant: str, name: str) -> dict[str, Any]:
    return next(each for each in properties(variant, "AWS::Lambda::Function") if f"-{name}-" in each["FunctionName"])


def _source_mapping(variant: str, queue: str) -> dict[str, Any]:
    """Return the event source mapping of a queue."""
    for each in properties(variant, "AWS::Lambda::EventSourceMapping"):
        if re.fullmatch(rf"\$\{{\w*?{queue}[0-9A-F]{{8}}\.Arn\}}", str(readable(each["EventSourceArn"]))):
            return each
    raise AssertionError(f"no function reads the queue {queue}")
