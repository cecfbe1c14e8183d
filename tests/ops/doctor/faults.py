"""Faults of a deployed environment: how each is injected into the local cloud, undone, and which checks name it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from contract import tables
from ops.deployed.target import Target
from stacks import outputs


@dataclass(frozen=True)
class Fault:
    """One fault.

    Args:
        name: what is wrong.
        checks: the checks that report it; every other check reports what it reports without the fault.
        named: a text that the report must contain, which names the cause.
        inject: injects the fault for the time of a block.
    """

    name: str
    checks: frozenset[str]
    named: str
    inject: Callable[[Target], AbstractContextManager[None]]


FAULTS: list[Fault] = []


def fault(name: str, *checks: str, named: str) -> Callable[[Callable[[Target], Iterator[None]]], None]:
    """Register a generator function that injects a fault, yields, and undoes it."""

    def register(function: Callable[[Target], Iterator[None]]) -> None:
        FAULTS.append(Fault(name, frozenset(checks), named, contextmanager(function)))

    return register


def queue_url(target: Target, queue: str) -> str:
    url: str = target.client("sqs").get_queue_url(QueueName=target.names.of(queue))["QueueUrl"]
    return url


def mapping(target: Target, function: str) -> Any:
    found = target.client("lambda").list_event_source_mappings(FunctionName=target.names.of(function))
    return found["EventSourceMappings"][0]


@fault("event source mapping is deleted", "D501", named="PantherKolab-ring_timeout-local has no event source mapping")
def _(target: Target) -> Iterator[None]:
    client, found = target.client("lambda"), mapping(target, "ring_timeout")
    client.delete_event_source_mapping(UUID=found["UUID"])
    yield
    keys = ("EventSourceArn", "BatchSize", "FunctionResponseTypes", "ScalingConfig")
    client.create_event_source_mapping(
        FunctionName=target.names.of("ring_timeout"), **{key: found[key] for key in keys if key in found}
    )


@fault("event source mapping is disabled", "D501", named="relay-local for table/PantherKolab-Outbox-local is Disabled")
def _(target: Target) -> Iterator[None]:
    client, found = target.client("lambda"), mapping(target, "relay")
    client.update_event_source_mapping(UUID=found["UUID"], Enabled=False)
    yield
    client.update_event_source_mapping(UUID=found["UUID"], Enabled=True)


@fault("batch size is changed", "D502", named="BatchSize: expected 5, found 1")
def _(target: Target) -> Iterator[None]:
    client, found = target.client("lambda"), mapping(target, "deliver")
    client.update_event_source_mapping(UUID=found["UUID"], BatchSize=1)
    yield
    client.update_event_source_mapping(UUID=found["UUID"], BatchSize=found["BatchSize"])


@fault("schedule is disabled", "D508", named="the rule PantherKolab-Sweep-local is DISABLED")
def _(target: Target) -> Iterator[None]:
    target.client("events").disable_rule(Name=target.names.of("Sweep"))
    yield
    target.client("events").enable_rule(Name=target.names.of("Sweep"))


@fault("rule for Chime's events is disabled", "D508", named="PantherKolab-MeetingStateChanges-local is DISABLED")
def _(target: Target) -> Iterator[None]:
    target.client("events").disable_rule(Name=target.names.of("MeetingStateChanges"))
    yield
    target.client("events").enable_rule(Name=target.names.of("MeetingStateChanges"))


@fault("schedule has no target", "D509", named="the rule PantherKolab-CallSweep-local has no target")
def _(target: Target) -> Iterator[None]:
    client, name = target.client("events"), target.names.of("CallSweep")
    found = client.list_targets_by_rule(Rule=name)["Targets"]
    client.remove_targets(Rule=name, Ids=[each["Id"] for each in found])
    yield
    client.put_targets(Rule=name, Targets=found)


def _configured(target: Target, function: str, **changes: Any) -> Iterator[None]:
    client, name = target.client("lambda"), target.names.of(function)
    found = client.get_function_configuration(FunctionName=name)
    client.update_function_configuration(FunctionName=name, **changes)
    yield
    client.update_function_configuration(FunctionName=name, **{key: found[key] for key in changes})


def _variables(target: Target, function: str) -> dict[str, str]:
    answer = target.client("lambda").get_function_configuration(FunctionName=target.names.of(function))
    found: dict[str, str] = answer["Environment"]["Variables"]
    return dict(found)


@fault("environment variable is changed", "D303", named="the environment variable OUTBOX_TABLE differs")
def _(target: Target) -> Iterator[None]:
    variables = {**_variables(target, "chime_events"), "OUTBOX_TABLE": "PantherKolab-Outbox-dev"}
    yield from _configured(target, "chime_events", Environment={"Variables": variables})


@fault("environment variable is removed", "D303", named="the environment variable DELIVERY_QUEUE_URL is missing")
def _(target: Target) -> Iterator[None]:
    variables = _variables(target, "ring_timeout")
    del variables["DELIVERY_QUEUE_URL"]
    yield from _configured(target, "ring_timeout", Environment={"Variables": variables})


@fault("media region has no media servers", "D303", "D307", named="MEDIA_REGION is eu-south-2")
def _(target: Target) -> Iterator[None]:
    variables = {**_variables(target, "ring_timeout"), "MEDIA_REGION": "eu-south-2"}
    yield from _configured(target, "ring_timeout", Environment={"Variables": variables})


@fault("timeout is changed", "D302", named="PantherKolab-chime_events-local: Timeout: expected")
def _(target: Target) -> Iterator[None]:
    yield from _configured(target, "chime_events", Timeout=1)


@fault("reserved concurrency is 0", "D304", named="reserved concurrency is 0")
def _(target: Target) -> Iterator[None]:
    client, name = target.client("lambda"), target.names.of("users")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    yield
    client.delete_function_concurrency(FunctionName=name)


@fault("Cognito may not invoke the trigger", "D305", named="cognito-idp.amazonaws.com may not invoke it")
def _(target: Target) -> Iterator[None]:
    client, name = target.client("lambda"), target.names.of("profile")
    statements = json.loads(client.get_policy(FunctionName=name)["Policy"])["Statement"]
    for statement in statements:
        client.remove_permission(FunctionName=name, StatementId=statement["Sid"])
    yield
    for statement in statements:
        (source,) = [value for test in statement["Condition"].values() for value in test.values()]
        client.add_permission(
            FunctionName=name,
            StatementId=statement["Sid"],
            Action="lambda:InvokeFunction",
            Principal="cognito-idp.amazonaws.com",
            SourceArn=source,
        )


@fault("asynchronous invocations are not repeated", "D306", named="MaximumRetryAttempts: expected 2, found 0")
def _(target: Target) -> Iterator[None]:
    client, name = target.client("lambda"), target.names.of("chime_events")
    found = client.get_function_event_invoke_config(FunctionName=name, Qualifier="$LATEST")
    kept = {key: found[key] for key in ("MaximumEventAgeInSeconds", "DestinationConfig") if key in found}
    client.put_function_event_invoke_config(FunctionName=name, Qualifier="$LATEST", MaximumRetryAttempts=0, **kept)
    yield
    kept["MaximumRetryAttempts"] = found["MaximumRetryAttempts"]
    client.put_function_event_invoke_config(FunctionName=name, Qualifier="$LATEST", **kept)


def role_of(target: Target, function: str) -> str:
    answer = target.client("lambda").get_function_configuration(FunctionName=target.names.of(function))
    return str(answer["Role"]).rsplit("/", 1)[-1]


def _without(target: Target, function: str, sid: str) -> Iterator[None]:
    iam, role = target.client("iam"), role_of(target, function)
    document = iam.get_role_policy(RoleName=role, PolicyName="Function")["PolicyDocument"]
    left = [each for each in document["Statement"] if each["Sid"] != sid]
    assert len(left) == len(document["Statement"]) - 1
    changed = json.dumps({**document, "Statement": left})
    iam.put_role_policy(RoleName=role, PolicyName="Function", PolicyDocument=changed)
    yield
    iam.put_role_policy(RoleName=role, PolicyName="Function", PolicyDocument=json.dumps(document))


@fault(
    "permission on a table is removed", "D311", named="may not call dynamodb:PutItem on table/PantherKolab-UserSearch"
)
def _(target: Target) -> Iterator[None]:
    yield from _without(target, "profile", "UserSearch")


@fault("permission to publish is removed", "D312", named="may not call appsync:EventPublish")
def _(target: Target) -> Iterator[None]:
    yield from _without(target, "ring_timeout", "Publish")


@fault("policy of a role is detached", "D311", named="may not call dynamodb:PutItem on table/PantherKolab-Users-local")
def _(target: Target) -> Iterator[None]:
    iam, role = target.client("iam"), role_of(target, "profile")
    document = iam.get_role_policy(RoleName=role, PolicyName="Function")["PolicyDocument"]
    iam.delete_role_policy(RoleName=role, PolicyName="Function")
    yield
    iam.put_role_policy(RoleName=role, PolicyName="Function", PolicyDocument=json.dumps(document))


@fault("role has a further permission", "D313", named="may also call dynamodb:Scan")
def _(target: Target) -> Iterator[None]:
    iam, role = target.client("iam"), role_of(target, "relay")
    statement = {"Effect": "Allow", "Action": "dynamodb:Scan", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName=role, PolicyName="Debug", PolicyDocument=document)
    yield
    iam.delete_role_policy(RoleName=role, PolicyName="Debug")


@fault("time to live is off", "D403", named="time to live of PantherKolab-RateLimits-local is DISABLED")
def _(target: Target) -> Iterator[None]:
    dynamodb, name = target.client("dynamodb"), tables.RATE_LIMITS.name("local")
    for enabled in (False, True):
        dynamodb.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": enabled, "AttributeName": "expiresAt"}
        )
        if not enabled:
            yield


@fault("index is deleted", "D402", named="the table PantherKolab-Groups-local has no index ClassCodeIndex")
def _(target: Target) -> Iterator[None]:
    dynamodb, name = target.client("dynamodb"), tables.GROUPS.name("local")
    index = tables.GROUPS.index("ClassCodeIndex")
    dynamodb.update_table(TableName=name, GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": index.name}}])
    yield
    keys = [(index.partition.name, "HASH"), ("semester", "RANGE")]
    created = {
        "IndexName": index.name,
        "KeySchema": [{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        "Projection": {"ProjectionType": index.projection},
    }
    dynamodb.update_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": "S"} for key in ("groupId", "classCode", "semester")
        ],
        GlobalSecondaryIndexUpdates=[{"Create": created}],
    )


@fault("table is deleted", "D401", named="the table PantherKolab-UserSearch-local does not exist")
def _(target: Target) -> Iterator[None]:
    dynamodb, name = target.client("dynamodb"), tables.USER_SEARCH.name("local")
    items = dynamodb.scan(TableName=name)["Items"]
    found = dynamodb.describe_table(TableName=name)["Table"]
    dynamodb.delete_table(TableName=name)
    yield
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=found["KeySchema"],
        AttributeDefinitions=found["AttributeDefinitions"],
    )
    for item in items:
        dynamodb.put_item(TableName=name, Item=item)


def _dead_letter(target: Target, queue: str) -> Iterator[None]:
    sqs, url = target.client("sqs"), queue_url(target, queue)
    sqs.send_message(QueueUrl=url, MessageBody='{"eventId": "e"}')
    yield
    sqs.purge_queue(QueueUrl=url)


@fault("dead letter of the delivery queue", "D505", named="PantherKolab-DeliveryDeadLetters-local holds 1 messages")
def _(target: Target) -> Iterator[None]:
    yield from _dead_letter(target, "DeliveryDeadLetters")


@fault("dead letter of the relay", "D505", named="PantherKolab-RelayDeadLetters-local holds 1 messages")
def _(target: Target) -> Iterator[None]:
    yield from _dead_letter(target, "RelayDeadLetters")


def _attribute(target: Target, queue: str, name: str, value: str) -> Iterator[None]:
    sqs, url = target.client("sqs"), queue_url(target, queue)
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={name: value})
    yield
    sqs.set_queue_attributes(QueueUrl=url, Attributes=found)


@fault("redrive policy is removed", "D504", named="redrive policy of PantherKolab-RingTimeouts-local")
def _(target: Target) -> Iterator[None]:
    yield from _attribute(target, "RingTimeouts", "RedrivePolicy", "")


@fault("visibility timeout is changed", "D503", named="PantherKolab-Delivery-local: VisibilityTimeout")
def _(target: Target) -> Iterator[None]:
    yield from _attribute(target, "Delivery", "VisibilityTimeout", "1")


@fault("queue is deleted", "D503", named="SQS Queue PantherKolab-ChimeRuleDeadLetters-local does not exist")
def _(target: Target) -> Iterator[None]:
    sqs, url = target.client("sqs"), queue_url(target, "ChimeRuleDeadLetters")
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    sqs.delete_queue(QueueUrl=url)
    yield
    kept = {key: found[key] for key in ("VisibilityTimeout", "MessageRetentionPeriod", "Policy") if key in found}
    sqs.create_queue(QueueName=target.names.of("ChimeRuleDeadLetters"), Attributes=kept)


@fault("event of the outbox is overdue", "D507", named="1 events in the outbox are overdue")
def _(target: Target) -> Iterator[None]:
    dynamodb, name = target.client("dynamodb"), tables.OUTBOX.name("local")
    due = (datetime.now(UTC) - timedelta(minutes=10)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    item = {"eventId": {"S": "doctor-test"}, "shard": {"S": "due#0"}, "dueAt": {"S": due}}
    dynamodb.put_item(TableName=name, Item=item)
    yield
    dynamodb.delete_item(TableName=name, Key={"eventId": item["eventId"]})


def _api(target: Target) -> str:
    found = target.output(outputs.API_ID)
    return found or str(next(target.deployed.resources("AWS::ApiGatewayV2::Api")).physical_id)


@fault("CORS allows another origin", "D805", named="AllowOrigins: expected")
def _(target: Target) -> Iterator[None]:
    gateway, api = target.client("apigatewayv2"), _api(target)
    found = gateway.get_api(ApiId=api)["CorsConfiguration"]
    gateway.update_api(ApiId=api, CorsConfiguration={**found, "AllowOrigins": ["https://old.example.edu"]})
    yield
    gateway.update_api(ApiId=api, CorsConfiguration=found)


def _route(target: Target, key: str) -> Any:
    items = target.client("apigatewayv2").get_routes(ApiId=_api(target))["Items"]
    return next(each for each in items if each["RouteKey"] == key)


@fault("route is deleted", "D802", named="ApiGatewayV2 Route POST /api/calls/accept does not exist")
def _(target: Target) -> Iterator[None]:
    gateway, found = target.client("apigatewayv2"), _route(target, "POST /api/calls/accept")
    gateway.delete_route(ApiId=_api(target), RouteId=found["RouteId"])
    yield
    keys = ("RouteKey", "AuthorizationType", "AuthorizerId", "OperationName", "Target")
    gateway.create_route(ApiId=_api(target), **{key: found[key] for key in keys})


@fault("route requires no token", "D802", named="the route GET /api/users/me has the authorization NONE, not JWT")
def _(target: Target) -> Iterator[None]:
    gateway, found = target.client("apigatewayv2"), _route(target, "GET /api/users/me")
    address = {"ApiId": _api(target), "RouteId": found["RouteId"]}
    gateway.update_route(**address, AuthorizationType="NONE")
    yield
    gateway.update_route(**address, AuthorizationType="JWT", AuthorizerId=found["AuthorizerId"])


@fault("authorizer accepts another app client", "D804", named="JwtConfiguration.Audience: expected")
def _(target: Target) -> Iterator[None]:
    gateway, api = target.client("apigatewayv2"), _api(target)
    (found,) = gateway.get_authorizers(ApiId=api)["Items"]
    address = {"ApiId": api, "AuthorizerId": found["AuthorizerId"]}
    jwt = found["JwtConfiguration"]
    gateway.update_authorizer(**address, JwtConfiguration={**jwt, "Audience": ["anotherclient"]})
    yield
    gateway.update_authorizer(**address, JwtConfiguration=jwt)


@fault("authorizer accepts another user pool", "D804", named="JwtConfiguration.Issuer: expected")
def _(target: Target) -> Iterator[None]:
    gateway, api = target.client("apigatewayv2"), _api(target)
    (found,) = gateway.get_authorizers(ApiId=api)["Items"]
    address = {"ApiId": api, "AuthorizerId": found["AuthorizerId"]}
    jwt = found["JwtConfiguration"]
    other = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Another"
    gateway.update_authorizer(**address, JwtConfiguration={**jwt, "Issuer": other})
    yield
    gateway.update_authorizer(**address, JwtConfiguration=jwt)


@fault("stage does not deploy changes", "D808", named="the stage $default does not deploy changes of routes")
def _(target: Target) -> Iterator[None]:
    gateway, api = target.client("apigatewayv2"), _api(target)
    gateway.update_stage(ApiId=api, StageName="$default", AutoDeploy=False)
    yield
    gateway.update_stage(ApiId=api, StageName="$default", AutoDeploy=True)


@fault("integration invokes another function", "D803", named="no integration invokes PantherKolab-users-local")
def _(target: Target) -> Iterator[None]:
    gateway, api = target.client("apigatewayv2"), _api(target)
    items = gateway.get_integrations(ApiId=api)["Items"]
    found = next(each for each in items if each["IntegrationUri"].endswith("PantherKolab-users-local"))
    address = {"ApiId": api, "IntegrationId": found["IntegrationId"]}
    gateway.update_integration(**address, IntegrationUri=found["IntegrationUri"].replace("users", "people"))
    yield
    gateway.update_integration(**address, IntegrationUri=found["IntegrationUri"])


def _client(target: Target, **changes: Any) -> Iterator[None]:
    cognito = target.client("cognito-idp")
    address = {"UserPoolId": target.output(outputs.USER_POOL_ID), "ClientId": target.output(outputs.CLIENT_ID)}
    found = cognito.describe_user_pool_client(**address)["UserPoolClient"]
    cognito.update_user_pool_client(**address, **changes)
    yield
    cognito.update_user_pool_client(**address, **{key: found[key] for key in changes})


@fault("app client does not allow SRP", "D702", named="does not allow ALLOW_USER_SRP_AUTH")
def _(target: Target) -> Iterator[None]:
    yield from _client(target, ExplicitAuthFlows=["ALLOW_REFRESH_TOKEN_AUTH"])


@fault("access tokens are valid for another time", "D702", named="AccessTokenValidity: expected 60, found 5")
def _(target: Target) -> Iterator[None]:
    yield from _client(target, AccessTokenValidity=5)


@fault("trigger is removed", "D703", named="triggers of the user pool: PostConfirmation")
def _(target: Target) -> Iterator[None]:
    cognito, pool = target.client("cognito-idp"), target.output(outputs.USER_POOL_ID)
    found = cognito.describe_user_pool(UserPoolId=pool)["UserPool"]
    keys = ("Policies", "AutoVerifiedAttributes", "MfaConfiguration", "AdminCreateUserConfig")
    kept = {key: found[key] for key in keys if found.get(key)}
    cognito.update_user_pool(UserPoolId=pool, LambdaConfig={}, **kept)
    yield
    cognito.update_user_pool(UserPoolId=pool, LambdaConfig=found["LambdaConfig"], **kept)


def _alarm(target: Target, id: str) -> Any:
    names = [target.names.of(id)]
    return target.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"][0]


_ALARM = (
    *("AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "MetricName", "Namespace"),
    *("Statistic", "Dimensions", "Period", "EvaluationPeriods", "DatapointsToAlarm", "Threshold"),
    *("ComparisonOperator", "TreatMissingData"),
)


@fault("alarm is deleted", "D901", named="CloudWatch Alarm PantherKolab-DeliveryLate-local does not exist")
def _(target: Target) -> Iterator[None]:
    cloudwatch, found = target.client("cloudwatch"), _alarm(target, "DeliveryLate")
    cloudwatch.delete_alarms(AlarmNames=[found["AlarmName"]])
    yield
    cloudwatch.put_metric_alarm(**{key: found[key] for key in _ALARM if key in found})


@fault("threshold of an alarm is changed", "D901", named="PantherKolab-ApiErrors-local: Threshold is 99999")
def _(target: Target) -> Iterator[None]:
    cloudwatch, found = target.client("cloudwatch"), _alarm(target, "ApiErrors")
    request = {key: found[key] for key in _ALARM if key in found}
    cloudwatch.put_metric_alarm(**{**request, "Threshold": 99_999})
    yield
    cloudwatch.put_metric_alarm(**request)


@fault("actions of an alarm are disabled", "D902", named="the actions of PantherKolab-DeadLetters-local are disabled")
def _(target: Target) -> Iterator[None]:
    names = [target.names.of("DeadLetters")]
    target.client("cloudwatch").disable_alarm_actions(AlarmNames=names)
    yield
    target.client("cloudwatch").enable_alarm_actions(AlarmNames=names)


@fault("alarm is in ALARM", "D904", named="see docs/how-to/answer-an-alarm.md#calls-cannot-be-connected")
def _(target: Target) -> Iterator[None]:
    cloudwatch, name = target.client("cloudwatch"), target.names.of("CallsFailed")
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    yield
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="test")


@fault("log group keeps lines for ever", "D906", named="PantherKolab-relay-local keeps lines for ever")
def _(target: Target) -> Iterator[None]:
    logs, name = target.client("logs"), target.names.function_log_group("relay")
    logs.delete_retention_policy(logGroupName=name)
    yield
    logs.put_retention_policy(logGroupName=name, retentionInDays=1)


@fault("metric filter is deleted", "D907", named="Logs MetricFilter EventsGivenUpSweep does not exist")
def _(target: Target) -> Iterator[None]:
    logs, name = target.client("logs"), target.names.function_log_group("sweep")
    (found,) = logs.describe_metric_filters(logGroupName=name)["metricFilters"]
    logs.delete_metric_filter(logGroupName=name, filterName=found["filterName"])
    yield
    keys = ("filterName", "filterPattern", "metricTransformations")
    logs.put_metric_filter(logGroupName=name, **{key: found[key] for key in keys})


@fault("account is not bootstrapped", "D104", named="the account and region are not bootstrapped")
def _(target: Target) -> Iterator[None]:
    ssm, name = target.client("ssm"), "/cdk-bootstrap/hnb659fds/version"
    found = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    ssm.delete_parameter(Name=name)
    yield
    ssm.put_parameter(Name=name, Value=found, Type="String")


__all__ = ["FAULTS", "Fault"]
