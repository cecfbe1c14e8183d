"""Service limits: every template is within them, and each limit is broken by a template that exceeds it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs

from ops.cdk import ROOT, run_offline
from stacks.policy.limits.check import Violation, add_limits, violations
from stacks.policy.limits.measures import rendered
from stacks.policy.limits.table import ANY, LIMITS, TEMPLATE, WITHOUT_LIMITS, Limit
from tests.stacks.synthesis import ALL, resources, templates

Properties = dict[str, Any]


def _stat(number: int) -> Properties:
    return {"Id": f"m{number}", "MetricStat": {"Metric": {"MetricName": "Errors"}, "Period": 60, "Stat": "Sum"}}


def _list(path: str) -> Callable[[int], Properties]:
    """Return a maker of properties whose list at a path has n items."""
    return lambda n: _at(path, [{"Name": f"n{index}"} for index in range(n)])


def _text(path: str) -> Callable[[int], Properties]:
    """Return a maker of properties whose text at a path has n characters."""
    return lambda n: _at(path, "a" * n)


def _value(path: str) -> Callable[[int], Properties]:
    """Return a maker of properties whose number at a path is n."""
    return lambda n: _at(path, n)


def _document(path: str) -> Callable[[int], Properties]:
    """Return a maker of properties whose policy at a path has n characters."""
    empty = len(json.dumps({"Statement": "", "Version": "1"}, separators=(",", ":")))
    return lambda n: _at(path, {"Statement": "a" * (n - empty), "Version": "1"})


def _at(path: str, value: Any) -> Properties:
    head, _, rest = path.partition(".")
    inner = _at(rest, value) if rest else value
    return {head.removesuffix("[]"): [inner] if head.endswith("[]") else inner}


def _dashboard(n: int, *, per_widget: int = 0) -> Properties:
    widgets: list[Any] = [{"properties": {"metrics": []}} for _ in range(max(n, 1) if not per_widget else 0)]
    while per_widget and n > 0:
        widgets.append({"properties": {"metrics": [["a", "b"]] * min(n, per_widget)}})
        n -= per_widget
    return {"DashboardBody": json.dumps({"widgets": widgets})}


def _role_policies(n: int) -> Properties:
    document = _document("PolicyDocument")
    return {"Policies": [{"PolicyName": "p", **document(5_000)}, {"PolicyName": "q", **document(n - 5_000)}]}


NUMBERS: dict[str, Callable[[int], Properties]] = {
    "any-resource-tags": _list("Tags"),
    "cloudwatch-alarm-characters-of-the-description": _text("AlarmDescription"),
    "cloudwatch-alarm-metrics": lambda n: {"Metrics": [*map(_stat, range(n)), {"Id": "e", "Expression": "SUM([m0])"}]},
    "cloudwatch-alarm-characters-of-an-expression": _text("Metrics[].Expression"),
    "cloudwatch-alarm-dimensions": _list("Dimensions"),
    "cloudwatch-alarm-alarm-actions": _list("AlarmActions"),
    "cloudwatch-alarm-ok-actions": _list("OKActions"),
    "cloudwatch-alarm-seconds-of-the-evaluation-window": lambda n: {"Period": n, "EvaluationPeriods": 1},
    "cloudwatch-dashboard-widgets": _dashboard,
    "cloudwatch-dashboard-metrics-of-a-widget": lambda n: _dashboard(n, per_widget=n),
    "cloudwatch-dashboard-metrics-of-all-widgets": lambda n: _dashboard(n, per_widget=400),
    "logs-metricfilter-characters-of-the-pattern": _text("FilterPattern"),
    "logs-metricfilter-transformations": _list("MetricTransformations"),
    "logs-metricfilter-characters-of-the-value": _text("MetricTransformations[].MetricValue"),
    "sns-topic-characters-of-the-display-name": _text("DisplayName"),
    "sns-topicpolicy-characters-of-the-policy": _document("PolicyDocument"),
    "iam-role-characters-of-the-trust-policy": _document("AssumeRolePolicyDocument"),
    "iam-role-characters-of-all-inline-policies": _role_policies,
    "iam-role-managed-policies": _list("ManagedPolicyArns"),
    "lambda-function-characters-of-the-description": _text("Description"),
    "lambda-function-bytes-of-environment-variables": lambda n: {"Environment": {"Variables": {"NAME": "v" * (n - 4)}}},
    "lambda-function-timeout": _value("Timeout"),
    "lambda-function-memorysize": _value("MemorySize"),
    "lambda-function-layers": _list("Layers"),
    "lambda-eventinvokeconfig-maximumretryattempts": _value("MaximumRetryAttempts"),
    "lambda-eventinvokeconfig-maximumeventageinseconds": _value("MaximumEventAgeInSeconds"),
    "lambda-eventsourcemapping-batchsize": lambda n: {"BatchSize": n, "StartingPosition": "LATEST"},
    "lambda-eventsourcemapping-batch-size-of-a-queue-without-batching-window": _value("BatchSize"),
    "lambda-eventsourcemapping-scalingconfig-maximumconcurrency": _value("ScalingConfig.MaximumConcurrency"),
    "lambda-eventsourcemapping-maximumretryattempts": _value("MaximumRetryAttempts"),
    "lambda-eventsourcemapping-maximumrecordageinseconds": _value("MaximumRecordAgeInSeconds"),
    "lambda-eventsourcemapping-maximumbatchingwindowinseconds": _value("MaximumBatchingWindowInSeconds"),
    "lambda-eventsourcemapping-filters": _list("FilterCriteria.Filters"),
    "lambda-eventsourcemapping-characters-of-a-filter": _text("FilterCriteria.Filters[].Pattern"),
    "dynamodb-table-global-secondary-indexes": lambda n: {
        "GlobalSecondaryIndexes": [{"IndexName": f"index{number}"} for number in range(n)]
    },
    "dynamodb-table-local-secondary-indexes": _list("LocalSecondaryIndexes"),
    "dynamodb-table-projected-attributes-of-all-indexes": lambda n: _at(
        "GlobalSecondaryIndexes[].Projection.NonKeyAttributes", [f"a{number}" for number in range(n)]
    ),
    "dynamodb-table-keys": _list("KeySchema"),
    "sqs-queue-delayseconds": _value("DelaySeconds"),
    "sqs-queue-visibilitytimeout": _value("VisibilityTimeout"),
    "sqs-queue-messageretentionperiod": _value("MessageRetentionPeriod"),
    "sqs-queue-receivemessagewaittimeseconds": _value("ReceiveMessageWaitTimeSeconds"),
    "sqs-queue-redrivepolicy-maxreceivecount": _value("RedrivePolicy.maxReceiveCount"),
    "sqs-queuepolicy-characters-of-the-policy": lambda n: {
        "PolicyDocument": {"Statement": ["a" * (n - len('{"Statement":[""]}'))]}
    },
    "sqs-queuepolicy-statements-of-the-policy": _list("PolicyDocument.Statement"),
    "events-rule-characters-of-the-description": _text("Description"),
    "events-rule-characters-of-the-pattern": lambda n: {"EventPattern": {"source": ["a" * (n - 15)]}},
    "events-rule-characters-of-the-schedule": _text("ScheduleExpression"),
    "events-rule-targets": _list("Targets"),
    "events-rule-targets-retrypolicy-maximumeventageinseconds": _value(
        "Targets[].RetryPolicy.MaximumEventAgeInSeconds"
    ),
    "events-rule-targets-retrypolicy-maximumretryattempts": _value("Targets[].RetryPolicy.MaximumRetryAttempts"),
    "cognito-userpool-schema-attributes": _list("Schema"),
    "cognito-userpool-policies-passwordpolicy-minimumlength": _value("Policies.PasswordPolicy.MinimumLength"),
    "cognito-userpool-policies-passwordpolicy-temporarypasswordvaliditydays": _value(
        "Policies.PasswordPolicy.TemporaryPasswordValidityDays"
    ),
    "cognito-userpoolclient-seconds-of-the-access-token": lambda n: {
        "AccessTokenValidity": n,
        "TokenValidityUnits": {"AccessToken": "seconds"},
    },
    "cognito-userpoolclient-seconds-of-the-id-token": lambda n: {
        "IdTokenValidity": n,
        "TokenValidityUnits": {"IdToken": "seconds"},
    },
    "cognito-userpoolclient-seconds-of-the-refresh-token": lambda n: {
        "RefreshTokenValidity": n,
        "TokenValidityUnits": {"RefreshToken": "seconds"},
    },
    "apigatewayv2-integration-timeoutinmillis": _value("TimeoutInMillis"),
    "apigatewayv2-authorizer-audiences": _list("JwtConfiguration.Audience"),
    "apigatewayv2-stage-defaultroutesettings-throttlingratelimit": _value("DefaultRouteSettings.ThrottlingRateLimit"),
    "apigatewayv2-stage-defaultroutesettings-throttlingburstlimit": _value("DefaultRouteSettings.ThrottlingBurstLimit"),
    "apigatewayv2-stage-characters-of-the-access-log-format": _text("AccessLogSettings.Format"),
    "appsync-channelnamespace-characters-of-the-handlers": _text("CodeHandlers"),
}
"""For each numeric limit of a resource: the properties with a given value."""

TEXTS: dict[str, tuple[Callable[[str], Properties], tuple[str, ...]]] = {
    "cloudwatch-alarm-name": (lambda text: {"AlarmName": text}, ("", "a" * 256)),
    "cloudwatch-dashboard-name": (lambda text: {"DashboardName": text, **_dashboard(1)}, ("a.b", "a" * 256)),
    "logs-loggroup-name": (lambda text: {"LogGroupName": text}, ("/aws/a:b", "a" * 513)),
    "logs-metricfilter-metric-name": (lambda text: _at("MetricTransformations[].MetricName", text), ("a:b", "a" * 256)),
    "logs-metricfilter-metric-namespace": (
        lambda text: _at("MetricTransformations[].MetricNamespace", text),
        ("a*b", "a" * 256),
    ),
    "sns-topic-name": (lambda text: {"TopicName": text}, ("a.b", "a" * 257)),
    "iam-role-name": (lambda text: {"RoleName": text}, ("a b", "a" * 65)),
    "iam-role-description": (lambda text: {"Description": text}, ("a → b", "a" * 1001)),
    "iam-role-policy-name": (lambda text: _at("Policies[].PolicyName", text), ("a b", "a" * 129)),
    "iam-policy-name": (lambda text: {"PolicyName": text}, ("a/b", "a" * 129)),
    "lambda-function-name": (lambda text: {"FunctionName": text}, ("a.b", "a" * 65)),
    "lambda-function-handler": (lambda text: {"Handler": text}, ("a b", "a" * 129)),
    "lambda-alias-name": (lambda text: {"Name": text}, ("1", "a" * 129)),
    "dynamodb-table-name": (lambda text: {"TableName": text}, ("ab", "a b c", "a" * 256)),
    "dynamodb-table-index-name": (lambda text: _at("GlobalSecondaryIndexes[].IndexName", text), ("ab", "a" * 256)),
    "dynamodb-table-attribute-name": (lambda text: _at("AttributeDefinitions[].AttributeName", text), ("", "a" * 256)),
    "sqs-queue-name": (lambda text: {"QueueName": text}, ("a.b", "a" * 81, "a" * 76 + ".fifo")),
    "events-rule-name": (lambda text: {"Name": text}, ("a b", "a" * 65)),
    "events-rule-target-id": (lambda text: _at("Targets[].Id", text), ("a b", "a" * 65)),
    "cognito-userpool-name": (lambda text: {"UserPoolName": text}, ("a/b", "a" * 129)),
    "cognito-userpool-attribute-name": (lambda text: _at("Schema[].Name", text), ("", "a" * 21)),
    "cognito-userpool-e-mail-subject": (
        lambda text: _at("VerificationMessageTemplate.EmailSubject", text),
        ("", "a" * 141),
    ),
    "cognito-userpool-e-mail-text-which-contains": (
        lambda text: _at("VerificationMessageTemplate.EmailMessage", text),
        ("no code here", "{####}" + "a" * 20_000),
    ),
    "cognito-userpoolclient-name": (lambda text: {"ClientName": text}, ("a/b", "a" * 129)),
    "apigatewayv2-api-name": (lambda text: {"Name": text}, ("", "a" * 129)),
    "apigatewayv2-route-operation-name": (lambda text: {"OperationName": text}, ("", "a" * 65)),
    "apigatewayv2-route-route-key": (lambda text: {"RouteKey": text}, ("GET", "GET /" + "a" * 121)),
    "apigatewayv2-authorizer-name": (lambda text: {"Name": text}, ("", "a" * 129)),
    "apigatewayv2-stage-name": (lambda text: {"StageName": text}, ("a b", "a" * 129)),
    "appsync-api-name": (lambda text: {"Name": text}, ("a.b", "a" * 51)),
    "appsync-channelnamespace-name": (lambda text: {"Name": text}, ("-a", "a_b", "a" * 51)),
    "appsync-datasource-name": (lambda text: {"Name": text}, ("a-b", "1a", "a" * 65_537)),
    "appsync-domainname-name": (lambda text: {"DomainName": text}, ("nodots", ("a" * 60 + ".") * 5 + "edu")),
}
"""For each limit on texts of a resource: the properties with a given text, and texts that AWS refuses."""


def _many(kind: str, key: str) -> Callable[[int], dict[str, Any]]:
    """Return a maker of templates with n resources of a type that have the same value at a key."""
    return lambda n: {"Resources": {f"R{number}": {"Type": kind, "Properties": {key: "x"}} for number in range(n)}}


def _section(name: str, entry: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    return lambda n: {"Resources": {}, name: {f"E{number}": entry for number in range(n)}}


def _size(n: int) -> dict[str, Any]:
    empty = len(json.dumps({"Resources": {}, "Description": ""}, indent=1))
    return {"Resources": {}, "Description": "a" * (n - empty)}


TEMPLATES: dict[str, Callable[[int], dict[str, Any]]] = {
    "template-size-in-bytes": _size,
    "template-resources": lambda n: {"Resources": {f"R{number}": {"Type": "AWS::SQS::Queue"} for number in range(n)}},
    "template-outputs": _section("Outputs", {"Value": "v"}),
    "template-parameters": _section("Parameters", {"Type": "String"}),
    "template-metric-filters-of-a-log-group": _many("AWS::Logs::MetricFilter", "LogGroupName"),
    "template-routes-of-an-http-api": _many("AWS::ApiGatewayV2::Route", "ApiId"),
    "template-integrations-of-an-http-api": _many("AWS::ApiGatewayV2::Integration", "ApiId"),
    "template-authorizers-of-an-http-api": _many("AWS::ApiGatewayV2::Authorizer", "ApiId"),
    "template-stages-of-an-http-api": _many("AWS::ApiGatewayV2::Stage", "ApiId"),
    "template-namespaces-of-an-event-api": _many("AWS::AppSync::ChannelNamespace", "ApiId"),
}
"""For each numeric limit of a template: the template with a given value."""

TEMPLATE_TEXTS: dict[str, tuple[dict[str, Any], ...]] = {
    "template-logical-ids": (
        {"Resources": {"a-b": {"Type": "AWS::SQS::Queue"}}},
        {"Resources": {"a" * 256: {"Type": "AWS::SQS::Queue"}}},
    ),
    "template-output-ids": ({"Outputs": {"a" * 256: {"Value": "v"}}}, {"Outputs": {"a-b": {"Value": "v"}}}),
    "template-output-descriptions": ({"Outputs": {"O": {"Description": "a" * 1025}}},),
    "template-export-names": (
        {"Outputs": {"O": {"Export": {"Name": "a_b"}}}},
        {"Outputs": {"O": {"Export": {"Name": "a" * 256}}}},
    ),
}
"""For each limit on texts of a template: templates that AWS refuses."""

VISIBILITY = "lambda-eventsourcemapping-visibility-timeout-of-the-queue-in-timeouts-of-the-function"


def _kind(limit: Limit) -> str:
    return "AWS::SQS::Queue" if limit.kind == ANY else limit.kind


def _found(template: dict[str, Any]) -> set[str]:
    return {violation.limit.id for violation in violations({"Stack": template})}


def _resource(limit: Limit, properties: Properties) -> dict[str, Any]:
    return {"Resources": {"Subject": {"Type": _kind(limit), "Properties": properties}}}


@pytest.mark.parametrize("variant", ALL)
def test_every_template_is_within_the_limits(variant: str) -> None:
    assert [str(violation) for violation in violations(templates(variant))] == []


@pytest.mark.parametrize("variant", ALL)
def test_every_type_of_resource_has_limits_or_is_listed_without(variant: str) -> None:
    types = {resource["Type"] for resource in resources(variant).values()}
    limited = {limit.kind for limit in LIMITS}
    assert types <= limited | WITHOUT_LIMITS
    assert not limited & WITHOUT_LIMITS


def test_every_limit_has_a_test_a_source_and_a_remedy() -> None:
    tested = {*NUMBERS, *TEXTS, *TEMPLATES, *TEMPLATE_TEXTS, VISIBILITY}
    assert {limit.id for limit in LIMITS} == tested
    assert len(LIMITS) == len(tested)
    for limit in LIMITS:
        assert limit.source.startswith(("AWS ", "Amazon ")), limit.id
        assert limit.remedy.endswith("."), limit.id
        assert (limit.pattern is None) == (limit.least is not None or limit.most is not None), limit.id


@pytest.mark.parametrize("limit", [limit for limit in LIMITS if limit.id in NUMBERS], ids=lambda limit: limit.id)
def test_value_at_the_limit_is_accepted_and_beyond_it_refused(limit: Limit) -> None:
    assert limit.most is not None
    assert limit.id not in _found(_resource(limit, NUMBERS[limit.id](int(limit.most))))
    assert limit.id in _found(_resource(limit, NUMBERS[limit.id](int(limit.most) + 1)))
    if limit.least is not None:
        assert limit.id not in _found(_resource(limit, NUMBERS[limit.id](int(limit.least))))
        assert limit.id in _found(_resource(limit, NUMBERS[limit.id](int(limit.least) - 1)))


@pytest.mark.parametrize("limit", [limit for limit in LIMITS if limit.id in TEXTS], ids=lambda limit: limit.id)
def test_text_that_aws_refuses_is_refused(limit: Limit) -> None:
    make, refused = TEXTS[limit.id]
    for text in refused:
        assert limit.id in _found(_resource(limit, make(text))), text[:80]


@pytest.mark.parametrize("limit", [limit for limit in LIMITS if limit.id in TEMPLATES], ids=lambda limit: limit.id)
def test_template_at_the_limit_is_accepted_and_beyond_it_refused(limit: Limit) -> None:
    assert limit.kind == TEMPLATE
    assert limit.most is not None
    assert limit.id not in _found(TEMPLATES[limit.id](int(limit.most)))
    assert limit.id in _found(TEMPLATES[limit.id](int(limit.most) + 1))


@pytest.mark.parametrize("limit_id", TEMPLATE_TEXTS)
def test_text_of_a_template_that_aws_refuses_is_refused(limit_id: str) -> None:
    for template in TEMPLATE_TEXTS[limit_id]:
        assert limit_id in _found(template)


@pytest.mark.parametrize(("visibility", "refused"), [(60, False), (59, True)])
def test_visibility_timeout_below_six_function_timeouts_is_refused(visibility: int, refused: bool) -> None:
    template = {
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q", "VisibilityTimeout": visibility}},
            "Function": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "f", "Timeout": 10}},
            "Source": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
                    "FunctionName": {"Fn::GetAtt": ["Function", "Arn"]},
                },
            },
        }
    }
    assert (VISIBILITY in _found(template)) == refused


def test_size_of_a_role_counts_policies_that_are_resources_and_the_values_of_references() -> None:
    statement = {"Resource": {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":", {"Ref": "AWS::AccountId"}]]}}
    assert rendered(statement)["Resource"] == "arn:aws:000000000000"
    policy = {"Roles": [{"Ref": "Role"}], "PolicyName": "p", "PolicyDocument": {"Statement": "a" * 10_300}}
    template = {
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
            "Policy": {"Type": "AWS::IAM::Policy", "Properties": policy},
        }
    }
    assert "iam-role-characters-of-all-inline-policies" in _found(template)


def test_violation_names_resource_value_limit_source_and_remedy() -> None:
    template = {"Resources": {"Late": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 901}}}}
    (violation,) = violations({"Routes": template})
    assert isinstance(violation, Violation)
    assert str(violation) == (
        "Routes/Late: DelaySeconds of AWS::SQS::Queue: 901; allowed: 0 to 900 (Amazon SQS API: CreateQueue). "
        "Change the value."
    )


def test_synthesis_fails_with_the_path_of_the_construct_and_the_limit(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    stack = cdk.Stack(app, "Careless")
    cloudwatch.CfnAlarm(
        stack,
        "TooManyMetrics",
        comparison_operator="GreaterThanThreshold",
        evaluation_periods=1,
        metrics=[_cfn_stat(number) for number in range(11)],
    )
    sqs.CfnQueue(stack, "TooLate", delay_seconds=901)
    add_limits(app)
    with pytest.raises(RuntimeError) as caught:
        app.synth()
    message = str(caught.value)
    assert "Careless/TooManyMetrics" in message
    assert "metrics of AWS::CloudWatch::Alarm: 11; allowed: at most 10" in message
    assert "Careless/TooLate" in message


def _cfn_stat(number: int) -> cloudwatch.CfnAlarm.MetricDataQueryProperty:
    metric = cloudwatch.CfnAlarm.MetricProperty(metric_name="Errors", namespace="AWS/Lambda")
    stat = cloudwatch.CfnAlarm.MetricStatProperty(metric=metric, period=60, stat="Sum")
    return cloudwatch.CfnAlarm.MetricDataQueryProperty(id=f"m{number}", metric_stat=stat)


CARELESS_APP = """
import sys

sys.path.insert(0, {root!r})
import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs
from stacks.policy.limits.check import add_limits

app = cdk.App()
sqs.CfnQueue(cdk.Stack(app, "Careless"), "TooLate", delay_seconds=901)
add_limits(app)
app.synth()
"""


def test_cdk_cli_fails_with_path_value_limit_source_and_remedy(tmp_path: Path) -> None:
    """A feature flag of cdk.json decides whether a violation is an error or a warning of the CLI."""
    (tmp_path / "app.py").write_text(CARELESS_APP.format(root=str(ROOT)), encoding="utf-8")
    settings = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))
    (tmp_path / "cdk.json").write_text(json.dumps(settings), encoding="utf-8")
    finished = run_offline(["synth", "--quiet"], cwd=tmp_path, seconds=120)
    assert finished.returncode == 1
    said = finished.stdout + finished.stderr
    assert "DelaySeconds of AWS::SQS::Queue: 901; allowed: 0 to 900 (Amazon SQS API: CreateQueue)" in said
    assert "Careless/TooLate" in said
    assert "Suggested fix: Change the value." in said
