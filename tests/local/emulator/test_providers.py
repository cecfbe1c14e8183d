"""CloudFormation provisions Event APIs in the Events service, with the return values that AWS documents."""

from __future__ import annotations

import http.client
import json
import re
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.local.conftest import EmulatorProcess

OPEN_CODE = "export function onPublish(ctx) { return ctx.events.map((e) => ({ id: e.id, payload: e.payload })); }\n"
MARKING_CODE = """
export function onPublish(ctx) { return ctx.events.map((e) => ({ id: e.id, payload: e.payload, error: 'marked' })); }
"""


def api(name: str) -> dict[str, Any]:
    key = [{"AuthType": "API_KEY"}]
    return {
        "Type": "AWS::AppSync::Api",
        "Properties": {
            "Name": name,
            "EventConfig": {
                "AuthProviders": key,
                "ConnectionAuthModes": key,
                "DefaultPublishAuthModes": key,
                "DefaultSubscribeAuthModes": key,
            },
        },
    }


def namespace(code: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": "AWS::AppSync::ChannelNamespace",
        "Properties": {"ApiId": {"Fn::GetAtt": ["Api", "ApiId"]}, "Name": "news", **code},
    }


def template(name: str, code: dict[str, Any]) -> dict[str, Any]:
    return {
        "Resources": {
            "Api": api(name),
            "Key": {"Type": "AWS::AppSync::ApiKey", "Properties": {"ApiId": {"Fn::GetAtt": ["Api", "ApiId"]}}},
            "News": namespace(code),
        },
        "Outputs": {
            "ApiRef": {"Value": {"Ref": "Api"}},
            "NewsRef": {"Value": {"Ref": "News"}},
            "Key": {"Value": {"Fn::GetAtt": ["Key", "ApiKey"]}},
            **{
                f"Api{name.replace('.', '')}": {"Value": {"Fn::GetAtt": ["Api", name]}}
                for name in ("ApiArn", "ApiId", "Dns.Http", "Dns.Realtime")
            },
        },
    }


def deploy(emulator: EmulatorProcess, stack: str, document: dict[str, Any]) -> dict[str, str]:
    """Create or update a stack; returns its outputs."""
    cloudformation = emulator.aws("cloudformation")
    exists = stack in {each["StackName"] for each in cloudformation.describe_stacks()["Stacks"]}
    change = cloudformation.update_stack if exists else cloudformation.create_stack
    change(StackName=stack, TemplateBody=json.dumps(document))
    waiter = cloudformation.get_waiter("stack_update_complete" if exists else "stack_create_complete")
    waiter.wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


def remove(emulator: EmulatorProcess, stack: str) -> None:
    cloudformation = emulator.aws("cloudformation")
    cloudformation.delete_stack(StackName=stack)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def failure_reason(emulator: EmulatorProcess, stack: str) -> str:
    events = emulator.aws("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    return " ".join(each.get("ResourceStatusReason", "") for each in events if "FAILED" in each["ResourceStatus"])


def publish(emulator: EmulatorProcess, outputs: dict[str, str], host: str | None = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", emulator.ports.events, timeout=20)
    connection.request(
        "POST",
        "/event",
        body=json.dumps({"channel": "/news/today", "events": ['{"headline":"rain"}']}),
        headers={
            "content-type": "application/json",
            "x-api-key": outputs["Key"],
            "host": host or outputs["ApiDnsHttp"],
        },
    )
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def test_ref_and_attributes_are_those_of_the_template_reference(emulator: EmulatorProcess) -> None:
    outputs = deploy(emulator, "attributes", template("attributes", {"CodeHandlers": OPEN_CODE}))
    try:
        arn = f"arn:aws:appsync:us-east-1:000000000000:apis/{outputs['ApiApiId']}"
        assert re.fullmatch(r"[a-z0-9]{26}", outputs["ApiApiId"])
        assert outputs["ApiRef"] == outputs["ApiApiArn"] == arn
        assert outputs["NewsRef"] == f"{arn}/channelNamespace/news"
        assert outputs["ApiDnsHttp"] == outputs["ApiDnsRealtime"] == f"localhost:{emulator.ports.events}"
        assert outputs["Key"].startswith("da2-")
        status, answer = publish(emulator, outputs)
        assert (status, len(answer["successful"])) == (200, 1)
    finally:
        remove(emulator, "attributes")
    assert publish(emulator, outputs)[0] >= 400


def test_changed_code_takes_effect_and_the_api_stays_the_same(emulator: EmulatorProcess) -> None:
    before = deploy(emulator, "changing", template("changing", {"CodeHandlers": OPEN_CODE}))
    try:
        after = deploy(emulator, "changing", template("changing", {"CodeHandlers": MARKING_CODE}))
        assert after == before
        _, answer = publish(emulator, after)
        assert (len(answer["successful"]), len(answer["failed"])) == (0, 1)
    finally:
        remove(emulator, "changing")


def test_code_in_a_bucket_is_fetched_and_a_missing_object_fails_the_stack(emulator: EmulatorProcess) -> None:
    s3 = emulator.aws("s3")
    s3.create_bucket(Bucket="handler-code")
    s3.put_object(Bucket="handler-code", Key="news.js", Body=MARKING_CODE.encode())
    stack = template("bucket", {"CodeS3Location": "s3://handler-code/news.js"})
    outputs = deploy(emulator, "bucket", stack)
    assert len(publish(emulator, outputs)[1]["failed"]) == 1
    remove(emulator, "bucket")
    with pytest.raises(WaiterError):
        deploy(emulator, "nothing-there", template("nothing", {"CodeS3Location": "s3://handler-code/absent.js"}))
    assert "s3://handler-code/absent.js does not exist" in failure_reason(emulator, "nothing-there")
    remove(emulator, "nothing-there")


def test_code_that_appsync_js_refuses_fails_the_stack_with_line_and_column(emulator: EmulatorProcess) -> None:
    code = "export function onPublish(ctx) {\n  while (true) {}\n}\n"
    with pytest.raises(WaiterError):
        deploy(emulator, "refused", template("refused", {"CodeHandlers": code}))
    assert re.search(r"line 2, column \d+: ", failure_reason(emulator, "refused"))
    remove(emulator, "refused")


@pytest.mark.parametrize("expires", [365, 0, 9_999_999_999])
def test_an_expiry_of_a_key_that_aws_refuses_fails_the_stack(emulator: EmulatorProcess, expires: int) -> None:
    document = template("expiry", {"CodeHandlers": OPEN_CODE})
    document["Resources"]["Key"]["Properties"]["Expires"] = expires
    with pytest.raises(WaiterError):
        deploy(emulator, f"expiry-{expires}", document)
    assert "Expires" in failure_reason(emulator, f"expiry-{expires}")
    remove(emulator, f"expiry-{expires}")


def test_a_second_api_gets_a_host_of_its_own(emulator: EmulatorProcess) -> None:
    first = deploy(emulator, "first", template("first", {"CodeHandlers": OPEN_CODE}))
    second = deploy(emulator, "second", template("second", {"CodeHandlers": MARKING_CODE}))
    try:
        assert second["ApiDnsHttp"] == f"{second['ApiApiId']}.appsync-api.{first['ApiDnsHttp']}"
        assert len(publish(emulator, first)[1]["successful"]) == 1
        assert len(publish(emulator, second)[1]["failed"]) == 1
        assert publish(emulator, second, host=first["ApiDnsHttp"])[0] == 401
    finally:
        remove(emulator, "second")
        remove(emulator, "first")


def test_registrations_are_there_after_both_processes_crashed(emulator: EmulatorProcess) -> None:
    outputs = deploy(emulator, "crashing", template("crashing", {"CodeHandlers": OPEN_CODE}))
    emulator.faults.checkpoint()
    assert emulator.events is not None
    emulator.events.kill()
    emulator.restart_after_crash()
    assert publish(emulator, outputs)[0] == 200
    remove(emulator, "crashing")


def test_helper_resources_of_the_cdk_are_accepted(emulator: EmulatorProcess) -> None:
    document = {
        "Resources": {
            "Retention": {
                "Type": "Custom::LogRetention",
                "Properties": {
                    "ServiceToken": "arn:aws:lambda:us-east-1:000000000000:function:absent",
                    "LogGroupName": "/aws/appsync/apis/x",
                    "RetentionInDays": 7,
                },
            },
            "Association": {
                "Type": "AWS::WAFv2::WebACLAssociation",
                "Properties": {"ResourceArn": "arn:aws:appsync:us-east-1:000000000000:apis/x", "WebACLArn": "arn"},
            },
            "Ratio": {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": {
                    "ComparisonOperator": "GreaterThanThreshold",
                    "EvaluationPeriods": 1,
                    "Threshold": 1,
                    "Metrics": [{"Id": "e", "Expression": "1 + 1", "ReturnData": True}],
                },
            },
        },
        "Outputs": {"Group": {"Value": {"Fn::GetAtt": ["Retention", "LogGroupName"]}}},
    }
    assert deploy(emulator, "helpers", document) == {"Group": "/aws/appsync/apis/x"}
    remove(emulator, "helpers")


def test_a_table_from_a_template_expires_and_recovers_as_it_says(emulator: EmulatorProcess) -> None:
    properties = {
        "TableName": "from-template",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    settings: dict[str, Any] = {
        "TimeToLiveSpecification": {"AttributeName": "expiresAt", "Enabled": True},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    }

    def state(properties: dict[str, Any]) -> tuple[str, str]:
        deploy(emulator, "table", {"Resources": {"T": {"Type": "AWS::DynamoDB::Table", "Properties": properties}}})
        dynamodb = emulator.aws("dynamodb")
        expiry = dynamodb.describe_time_to_live(TableName="from-template")["TimeToLiveDescription"]
        backups = dynamodb.describe_continuous_backups(TableName="from-template")["ContinuousBackupsDescription"]
        recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
        return expiry["TimeToLiveStatus"], recovery

    assert state({**properties, **settings}) == ("ENABLED", "ENABLED")
    assert state(properties) == ("DISABLED", "DISABLED")
    remove(emulator, "table")


def test_preflights_of_an_http_api_from_a_template_name_the_pages_own_origin(emulator: EmulatorProcess) -> None:
    document = {
        "Resources": {
            "Http": {
                "Type": "AWS::ApiGatewayV2::Api",
                "Properties": {
                    "Name": "http",
                    "ProtocolType": "HTTP",
                    "CorsConfiguration": {
                        "AllowOrigins": ["http://localhost:4568"],
                        "AllowMethods": ["POST"],
                        "AllowHeaders": ["authorization"],
                    },
                },
            },
            "Stage": {
                "Type": "AWS::ApiGatewayV2::Stage",
                "Properties": {"ApiId": {"Ref": "Http"}, "StageName": "$default", "AutoDeploy": True},
            },
        },
        "Outputs": {"Id": {"Value": {"Ref": "Http"}}},
    }
    api_id = deploy(emulator, "cors", document)["Id"]

    def preflight(origin: str) -> tuple[int, str | None]:
        connection = http.client.HTTPConnection("127.0.0.1", emulator.ports.emulator, timeout=10)
        connection.request(
            "OPTIONS",
            f"/_aws/execute-api/{api_id}/$default/messages",
            headers={"origin": origin, "access-control-request-method": "POST"},
        )
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status, response.getheader("access-control-allow-origin")

    own = f"http://localhost:{emulator.ports.web}"
    assert preflight(own) == (204, own)
    assert preflight("http://localhost:4568") == (403, None)
    remove(emulator, "cors")


def test_an_sdk_reads_the_same_from_the_emulator_and_from_the_events_service(emulator: EmulatorProcess) -> None:
    document = template("read", {"CodeHandlers": OPEN_CODE})
    document["Resources"]["Data"] = {
        "Type": "AWS::AppSync::DataSource",
        "Properties": {
            "ApiId": {"Fn::GetAtt": ["Api", "ApiId"]},
            "Name": "data",
            "Type": "AMAZON_DYNAMODB",
            "DynamoDBConfig": {"TableName": "t", "AwsRegion": "us-east-1"},
        },
    }
    outputs = deploy(emulator, "read", document)
    try:
        at_emulator = emulator.aws("appsync")
        at_service = emulator.aws("appsync", endpoint=emulator.ports.events_url)
        api_id = outputs["ApiApiId"]

        def both(operation: str, **arguments: str) -> dict[str, Any]:
            one, other = (getattr(client, operation)(**arguments) for client in (at_emulator, at_service))
            for answer in (one, other):
                del answer["ResponseMetadata"]
            assert one == other
            return dict(one)

        assert both("get_api", apiId=api_id)["api"]["apiArn"] == outputs["ApiApiArn"]
        assert api_id in [each["apiId"] for each in both("list_apis")["apis"]]
        listed = both("list_channel_namespaces", apiId=api_id)["channelNamespaces"]
        assert both("get_channel_namespace", apiId=api_id, name="news")["channelNamespace"] in listed
        assert both("list_data_sources", apiId=api_id)["dataSources"][0]["dynamodbConfig"]["tableName"] == "t"
        assert both("get_data_source", apiId=api_id, name="data")["dataSource"]["name"] == "data"
        assert both("list_api_keys", apiId=api_id)["apiKeys"][0]["id"] == outputs["Key"]
        for client in (at_emulator, at_service):
            with pytest.raises(client.exceptions.NotFoundException):
                client.get_api(apiId="none")
            with pytest.raises(client.exceptions.BadRequestException, match="template"):
                client.delete_api(apiId=api_id)
        graph = at_emulator.create_graphql_api(name="g", authenticationType="API_KEY")["graphqlApi"]["apiId"]
        key = at_emulator.create_api_key(apiId=graph)["apiKey"]["id"]
        assert [each["id"] for each in at_emulator.list_api_keys(apiId=graph)["apiKeys"]] == [key]
    finally:
        remove(emulator, "read")
