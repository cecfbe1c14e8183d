"""Faults that the local cloud cannot show, by recorded shapes of AWS's responses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contract.tables import TABLES
from ops.doctor.check import Outcome
from stacks.config.fields import Aws, Domain
from stacks.config.load import load
from tests.ops.doctor.recorded import ACCOUNT, Recorded, says, stack

POOL = "AMAZON_COGNITO_USER_POOLS"


@pytest.fixture
def aws() -> Recorded:
    return Recorded()


def test_refused_credentials(aws: Recorded) -> None:
    aws.refuses("sts", "get_caller_identity", "ExpiredToken")
    assert says(aws.look("D101")) == (Outcome.FAILED, "AWS refused the credentials: ExpiredToken")


def test_checks_after_refused_credentials_are_not_tried(aws: Recorded) -> None:
    aws.refuses("sts", "get_caller_identity", "ExpiredToken")
    assert says(aws.look("D402")) == (Outcome.NOT_TRIED, "D101 did not pass")


def test_request_that_the_credentials_may_not_make_is_a_reason(aws: Recorded) -> None:
    aws.refuses("lambda", "get_account_settings", "AccessDeniedException")
    assert says(aws.look("D105")) == (Outcome.NOT_TRIED, "the credentials may not call GetAccountSettings")


def test_credentials_of_another_account() -> None:
    environment = replace(load("dev"), aws=Aws(account="123456789012", region="eu-central-1"))
    outcome, text = says(Recorded(environment).look("D102"))
    assert (outcome, "belong to the account ending in 1111" in text) == (Outcome.FAILED, True)
    assert ACCOUNT not in text


@pytest.mark.parametrize(("minutes", "outcome"), [(0, Outcome.OK), (10, Outcome.FAILED), (-10, Outcome.FAILED)])
def test_clock(aws: Recorded, minutes: int, outcome: Outcome) -> None:
    date = (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    answer = {"Account": ACCOUNT, "ResponseMetadata": {"HTTPHeaders": {"date": date}}}
    aws.answers("sts", "get_caller_identity", answer)
    aws.answers("sts", "get_caller_identity", answer)
    assert aws.look("D103").outcome is outcome


def test_low_concurrency_is_a_warning(aws: Recorded) -> None:
    limits = {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}
    aws.answers("lambda", "get_account_settings", {"AccountLimit": limits})
    assert aws.look("D105").outcome is Outcome.WARNING


@pytest.mark.parametrize(
    ("account", "identity", "named"),
    [
        ({"ProductionAccessEnabled": False}, {"VerifiedForSendingStatus": True}, "in its sandbox"),
        ({"ProductionAccessEnabled": True, "SendingEnabled": False}, {"VerifiedForSendingStatus": True}, "disabled"),
        ({"ProductionAccessEnabled": True}, {"VerifiedForSendingStatus": False}, "not verified the domain"),
    ],
)
def test_mail_that_ses_does_not_send(account: dict[str, Any], identity: dict[str, Any], named: str) -> None:
    dev = load("dev")
    aws = Recorded(replace(dev, identity=replace(dev.identity, email_from="no-reply@example.edu")))
    aws.answers("sesv2", "get_account", account)
    aws.answers("sesv2", "get_email_identity", identity)
    outcome, text = says(aws.look("D106"))
    assert outcome is Outcome.FAILED
    assert named in text


def test_missing_stack(aws: Recorded) -> None:
    aws.deploy(stack("Data"), stack("Identity"), stack("Events"), stack("Routes"), only=True)
    assert says(aws.look("D201")) == (
        Outcome.FAILED,
        "the stack PantherKolab-Operations-dev does not exist in eu-central-1",
    )


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("UPDATE_ROLLBACK_FAILED", Outcome.FAILED),
        ("ROLLBACK_COMPLETE", Outcome.FAILED),
        ("UPDATE_ROLLBACK_COMPLETE", Outcome.WARNING),
        ("UPDATE_IN_PROGRESS", Outcome.WARNING),
        ("CREATE_COMPLETE", Outcome.OK),
    ],
)
def test_state_of_a_stack(aws: Recorded, status: str, outcome: Outcome) -> None:
    aws.deploy(stack("Routes", status=status, reason="Resource handler returned message"))
    assert aws.look("D202").outcome is outcome


def test_stacks_of_two_revisions(aws: Recorded) -> None:
    revision = {"Revision": "v1.0.0-0-gaaaaaaaaaaaa"}
    aws.deploy(stack("Data", outputs=revision))
    assert aws.look("D203").outcome is Outcome.WARNING


def test_protected_stack_without_termination_protection() -> None:
    dev = load("dev")
    aws = Recorded(replace(dev, data=replace(dev.data, removal="retain")))
    outcome, text = says(aws.look("D204"))
    assert (outcome, "PantherKolab-Data-dev" in text, "Routes" in text) == (Outcome.FAILED, True, False)


def test_function_that_lambda_could_not_update(aws: Recorded) -> None:
    aws.resource("Routes", "AWS::Lambda::Function", {}, "PantherKolab-calls-dev")
    found = {"State": "Failed", "StateReason": "The role cannot be assumed", "LastUpdateStatus": "Failed"}
    aws.answers("lambda", "get_function_configuration", found)
    outcome, text = says(aws.look("D301"))
    assert (outcome, "The role cannot be assumed" in text) == (Outcome.FAILED, True)


def test_deleted_function(aws: Recorded) -> None:
    aws.resource("Routes", "AWS::Lambda::Function", {}, "PantherKolab-calls-dev")
    aws.refuses("lambda", "get_function_configuration", "ResourceNotFoundException")
    assert says(aws.look("D301"))[1].startswith("Lambda Function PantherKolab-calls-dev does not exist")


def table(**changes: Any) -> dict[str, Any]:
    key = [{"AttributeName": "eventId", "KeyType": "HASH"}]
    return {"Table": {"TableStatus": "ACTIVE", "KeySchema": key, **changes}}


@pytest.mark.parametrize(
    ("stream", "named"),
    [
        ({"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}, ""),
        ({"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}, "shows NEW_IMAGE, not KEYS_ONLY"),
        (None, "the table PantherKolab-Outbox-dev has no stream"),
    ],
)
def test_stream_of_the_outbox(aws: Recorded, stream: dict[str, Any] | None, named: str) -> None:
    for _ in TABLES:
        aws.answers("dynamodb", "describe_table", table(**({"StreamSpecification": stream} if stream else {})))
    outcome, text = says(aws.look("D404"))
    assert outcome is (Outcome.FAILED if named else Outcome.OK)
    assert named in text


def test_tables_without_the_protection_that_the_environment_wants() -> None:
    dev = load("dev")
    aws = Recorded(replace(dev, data=replace(dev.data, point_in_time_recovery=True, deletion_protection=True)))
    status = {"ContinuousBackupsStatus": "ENABLED"}
    for _ in TABLES:
        aws.answers("dynamodb", "describe_table", table())
        aws.answers("dynamodb", "describe_continuous_backups", {"ContinuousBackupsDescription": status})
    assert len(aws.look("D405").findings) == len(TABLES)
    assert len(aws.look("D406").findings) == len(TABLES)


def test_backlog_of_a_queue(aws: Recorded) -> None:
    for waiting in ("4711", "3"):
        aws.answers("sqs", "get_queue_url", {"QueueUrl": f"https://sqs.eu-central-1.amazonaws.com/q{waiting}"})
        aws.answers("sqs", "get_queue_attributes", {"Attributes": {"ApproximateNumberOfMessages": waiting}})
    assert says(aws.look("D506")) == (Outcome.FAILED, "4711 messages wait in PantherKolab-Delivery-dev")


def test_problem_of_an_event_source_mapping(aws: Recorded) -> None:
    source = "arn:aws:sqs:eu-central-1:111111111111:PantherKolab-Delivery-dev"
    properties = {"EventSourceArn": source, "FunctionName": "arn:aws:lambda:eu:1:function:PantherKolab-deliver-dev"}
    aws.resource("Routes", "AWS::Lambda::EventSourceMapping", properties)
    problem = "PROBLEM: Function call failed"
    mapping = {"EventSourceArn": source, "State": "Enabled", "LastProcessingResult": problem}
    aws.answers("lambda", "list_event_source_mappings", {"EventSourceMappings": [mapping]})
    assert says(aws.look("D501"))[1] == f"the event source mapping of PantherKolab-deliver-dev: {problem}"


CONFIG: dict[str, Any] = {
    "AuthProviders": [
        {
            "AuthType": POOL,
            "CognitoConfig": {"UserPoolId": "eu-central-1_A", "AwsRegion": "eu-central-1", "AppIdClientRegex": "^(c)$"},
        },
        {"AuthType": "AWS_IAM"},
    ],
    "ConnectionAuthModes": [{"AuthType": POOL}],
    "DefaultPublishAuthModes": [{"AuthType": "AWS_IAM"}],
    "DefaultSubscribeAuthModes": [{"AuthType": POOL}],
    "LogConfig": {"LogLevel": "ERROR", "CloudWatchLogsRoleArn": "arn:aws:iam::111111111111:role/log"},
}


def event_config(*, pool: str = "eu-central-1_A", subscribe: str = POOL, level: str = "ERROR") -> dict[str, Any]:
    provider = {"userPoolId": pool, "awsRegion": "eu-central-1", "appIdClientRegex": "^(c)$"}
    return {
        "authProviders": [{"authType": POOL, "cognitoConfig": provider}, {"authType": "AWS_IAM"}],
        "connectionAuthModes": [{"authType": POOL}],
        "defaultPublishAuthModes": [{"authType": "AWS_IAM"}],
        "defaultSubscribeAuthModes": [{"authType": subscribe}],
        "logConfig": {"logLevel": level, "cloudWatchLogsRoleArn": "arn:aws:iam::111111111111:role/log"},
    }


@pytest.mark.parametrize(
    ("actual", "failing"),
    [
        (event_config(), set()),
        (event_config(pool="eu-central-1_B"), {"D602"}),
        (event_config(subscribe="API_KEY"), {"D602"}),
        (event_config(level="NONE"), {"D606"}),
    ],
)
def test_modes_and_log_of_the_event_api(aws: Recorded, actual: dict[str, Any], failing: set[str]) -> None:
    aws.outputs("Events", EventsApiId="api1")
    aws.resource("Events", "AWS::AppSync::Api", {"EventConfig": CONFIG}, "arn:aws:appsync:r:1:apis/api1")
    aws.answers("appsync", "get_api", {"api": {"apiId": "api1", "eventConfig": actual}})
    results = {id: aws.look(id).outcome for id in ("D601", "D602", "D606")}
    assert {id for id, outcome in results.items() if outcome is not Outcome.OK} == failing


def test_deleted_event_api(aws: Recorded) -> None:
    aws.outputs("Events", EventsApiId="api1")
    aws.resource("Events", "AWS::AppSync::Api", {"EventConfig": CONFIG}, "arn:aws:appsync:r:1:apis/api1")
    aws.refuses("appsync", "get_api", "NotFoundException")
    assert says(aws.look("D601"))[1].startswith("AppSync Api api1 does not exist")


NAMESPACE = {
    "Name": "chats",
    "SubscribeAuthModes": [{"AuthType": POOL}],
    "PublishAuthModes": [{"AuthType": "AWS_IAM"}],
    "CodeHandlers": "export function onPublish(ctx) {\n  return ctx.events;\n}\n",
}


@pytest.mark.parametrize(
    ("changes", "failing", "named"),
    [
        ({}, set(), ""),
        ({"codeHandlers": "export function onPublish(ctx) { return []; }"}, {"D604"}, "handler of namespace chats"),
        ({"publishAuthModes": [{"authType": "API_KEY"}]}, {"D603"}, "PublishAuthModes: expected"),
        ({"name": "chat"}, {"D603"}, "AppSync ChannelNamespace chats does not exist"),
    ],
)
def test_namespaces_and_handlers(aws: Recorded, changes: dict[str, Any], failing: set[str], named: str) -> None:
    aws.outputs("Events", EventsApiId="api1")
    aws.resource("Events", "AWS::AppSync::ChannelNamespace", NAMESPACE)
    found = {
        "name": "chats",
        "subscribeAuthModes": [{"authType": POOL}],
        "publishAuthModes": [{"authType": "AWS_IAM"}],
        "codeHandlers": NAMESPACE["CodeHandlers"],
        **changes,
    }
    aws.answers("appsync", "list_channel_namespaces", {"channelNamespaces": [found]})
    results = {}
    for id in ("D603", "D604"):
        aws.target._answers.setdefault("api", None)
        results[id] = _without_needs(aws, id)
    assert {id for id, result in results.items() if result[0] is not Outcome.OK} == failing
    assert named in "; ".join(text for _, text in results.values())


def _without_needs(aws: Recorded, id: str) -> tuple[Outcome, str]:
    from ops.doctor.catalogue import CHECKS
    from ops.doctor.examination import Examination
    from ops.doctor.running import run

    check = next(each for each in CHECKS if each.id == id)
    (result,) = run([check], Examination(aws.target))
    return says(result)


def test_data_source_that_reads_another_table(aws: Recorded) -> None:
    aws.outputs("Events", EventsApiId="api1")
    properties = {
        "Name": "calls",
        "Type": "AMAZON_DYNAMODB",
        "ServiceRoleArn": "arn:aws:iam::111111111111:role/calls",
        "DynamoDBConfig": {"TableName": "PantherKolab-Calls-dev", "AwsRegion": "eu-central-1"},
    }
    aws.resource("Events", "AWS::AppSync::DataSource", properties)
    found = {
        "name": "calls",
        "type": "AMAZON_DYNAMODB",
        "serviceRoleArn": properties["ServiceRoleArn"],
        "dynamodbConfig": {"tableName": "PantherKolab-Calls-staging", "awsRegion": "eu-central-1"},
    }
    aws.answers("appsync", "list_data_sources", {"dataSources": [found]})
    outcome, text = _without_needs(aws, "D605")
    assert outcome is Outcome.FAILED
    assert "expected PantherKolab-Calls-dev, found PantherKolab-Calls-staging" in text


def test_bucket_with_another_origin(aws: Recorded) -> None:
    rules = [{"AllowedOrigins": ["https://app.example.edu"], "AllowedMethods": ["PUT"]}]
    aws.resource("Data", "AWS::S3::Bucket", {"CorsConfiguration": {"CorsRules": rules}}, "attachments")
    found = {"CORSRules": [{"AllowedOrigins": ["https://old.example.edu"], "AllowedMethods": ["PUT"]}]}
    aws.answers("s3", "get_bucket_cors", found)
    assert "the bucket attachments allows the origins ['https://old.example.edu']" in says(aws.look("D806"))[1]


@pytest.mark.parametrize(("rate", "outcome"), [(100.0, Outcome.OK), (1.0, Outcome.FAILED)])
def test_throttling_of_the_stage(aws: Recorded, rate: float, outcome: Outcome) -> None:
    aws.outputs("Routes", ApiId="api2")
    settings = {"ThrottlingRateLimit": 100, "ThrottlingBurstLimit": 200}
    properties = {"StageName": "$default", "DefaultRouteSettings": settings}
    aws.resource("Routes", "AWS::ApiGatewayV2::Stage", properties)
    found = {"ThrottlingRateLimit": rate, "ThrottlingBurstLimit": 200}
    answer = {"StageName": "$default", "AutoDeploy": True, "DefaultRouteSettings": found}
    aws.answers("apigatewayv2", "get_stage", answer)
    assert _without_needs(aws, "D809")[0] is outcome


def domain(name: str) -> Domain:
    return Domain(name=name, certificate_arn="arn:aws:acm:eu-central-1:111111111111:certificate/1")


@pytest.mark.parametrize(
    ("status", "days", "outcome"),
    [
        ("ISSUED", 200, Outcome.OK),
        ("ISSUED", 12, Outcome.WARNING),
        ("ISSUED", -1, Outcome.FAILED),
        ("PENDING_VALIDATION", 200, Outcome.FAILED),
    ],
)
def test_certificate(status: str, days: int, outcome: Outcome) -> None:
    dev = load("dev")
    aws = Recorded(replace(dev, api=replace(dev.api, domain=domain("api.example.edu"))))
    certificate = {"Status": status, "NotAfter": datetime.now(UTC) + timedelta(days=days)}
    aws.answers("acm", "describe_certificate", {"Certificate": certificate})
    assert aws.look("D212").outcome is outcome


def test_domain_that_belongs_to_no_api() -> None:
    dev = load("dev")
    aws = Recorded(replace(dev, events=replace(dev.events, domain=domain("events.example.edu"))))
    aws.refuses("appsync", "get_api_association", "NotFoundException")
    assert "is associated with no API (missing)" in says(aws.look("D213"))[1]


def test_recipients_who_have_not_confirmed(aws: Recorded) -> None:
    aws.resource("Operations", "AWS::SNS::Topic", {}, "arn:aws:sns:eu-central-1:111111111111:Alarms")
    found = {"SubscriptionArn": "PendingConfirmation", "Protocol": "email", "Endpoint": "operator@example.edu"}
    aws.answers("sns", "list_subscriptions_by_topic", {"Subscriptions": [found]})
    outcome, text = says(aws.look("D903"))
    assert outcome is Outcome.WARNING
    assert text == "1 of 1 recipients have not confirmed their subscription"


def test_alarm_without_data(aws: Recorded) -> None:
    states = {"PantherKolab-EventsErrors-dev": "INSUFFICIENT_DATA", "PantherKolab-EventsErrors-prod": "ALARM"}
    found = [{"AlarmName": name, "StateValue": state} for name, state in states.items()]
    aws.answers("cloudwatch", "describe_alarms", {"MetricAlarms": found})
    assert says(aws.look("D905")) == (Outcome.WARNING, "PantherKolab-EventsErrors-dev has no data")


def metric_data(**values: list[float]) -> dict[str, Any]:
    return {"MetricDataResults": [{"Id": id, "Values": found} for id, found in values.items()]}


def test_errors_and_throttles_of_functions(aws: Recorded) -> None:
    aws.resource("Routes", "AWS::Lambda::Function", {}, "PantherKolab-calls-dev")
    aws.answers("cloudwatch", "get_metric_data", metric_data(m0=[2.0, 1.0], m1=[0.0]))
    assert says(aws.look("D908")) == (Outcome.WARNING, "PantherKolab-calls-dev: 3 Errors in the last hour")


def test_slow_and_failing_http_api(aws: Recorded) -> None:
    aws.outputs("Routes", ApiId="api2")
    aws.answers("cloudwatch", "get_metric_data", metric_data(m0=[4.0], m1=[180.0, 910.0]))
    outcome, text = says(aws.look("D909"))
    assert outcome is Outcome.WARNING
    assert "4 times with 5xx" in text
    assert "910 ms" in text


def test_protections_that_the_environment_does_not_want_are_not_tried(aws: Recorded) -> None:
    assert {aws.look(id).outcome for id in ("D405", "D406")} == {Outcome.NOT_TRIED}


def test_missing_pool_and_app_client(aws: Recorded) -> None:
    aws.outputs("Identity", UserPoolId="eu-central-1_A", UserPoolClientId="client", Region="eu-central-1")
    aws.refuses("cognito-idp", "describe_user_pool", "ResourceNotFoundException")
    assert says(aws.look("D701")) == (Outcome.FAILED, "the user pool eu-central-1_A does not exist")
    aws.answers("cognito-idp", "describe_user_pool", {"UserPool": {"Id": "eu-central-1_A"}})
    aws.refuses("cognito-idp", "describe_user_pool_client", "ResourceNotFoundException")
    assert says(aws.look("D701"))[1] == "the app client client does not exist in the user pool eu-central-1_A"


def test_imported_pool_without_the_flows_of_the_front_end(aws: Recorded) -> None:
    aws.outputs("Identity", UserPoolId="eu-central-1_A", UserPoolClientId="client", Region="eu-central-1")
    aws.answers("cognito-idp", "describe_user_pool", {"UserPool": {"Id": "eu-central-1_A"}})
    client = {"ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH"], "ClientSecret": "s" * 51}
    aws.answers("cognito-idp", "describe_user_pool_client", {"UserPoolClient": client})
    outcome, text = says(aws.look("D702"))
    assert outcome is Outcome.FAILED
    assert "does not allow ALLOW_USER_SRP_AUTH" in text
    assert "the app client has a secret" in text
