"""The read-only control plane API, used by an unmodified boto3 client with a known access key."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import boto3
import pytest
import pytest_asyncio
from appsync_events_local.local_identity import LOCAL_SECRET_ACCESS_KEY
from botocore.config import Config
from botocore.exceptions import ClientError
from service_harness.example_api import TEMPLATE
from service_harness.standalone import Standalone, standalone

pytestmark = pytest.mark.asyncio(loop_scope="module")


EVENT_CONFIG = ("authProviders", "connectionAuthModes", "defaultPublishAuthModes", "defaultSubscribeAuthModes")


def client(running: Standalone, secret: str = LOCAL_SECRET_ACCESS_KEY, region: str = "us-east-1") -> Any:
    return boto3.client(
        "appsync", endpoint_url=running.base, region_name=region, aws_access_key_id="local",
        aws_secret_access_key=secret, config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served() -> AsyncIterator[Standalone]:
    async with standalone("--template", TEMPLATE) as running:
        yield running


async def call(running: Standalone, operation: str, **arguments: Any) -> Any:
    answer = await asyncio.to_thread(getattr(client(running), operation), **arguments)
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


async def test_api_is_described_in_the_form_of_aws(served: Standalone) -> None:
    (listed,) = (await call(served, "list_apis"))["apis"]
    api = (await call(served, "get_api", apiId=listed["apiId"]))["api"]
    assert api == listed
    assert api["name"] == "ticker-dev"
    assert api["ownerContact"] == "team@amazonaws.com"
    assert api["apiArn"] == f"arn:aws:appsync:us-east-1:000000000000:apis/{api['apiId']}"
    assert api["dns"]["HTTP"].startswith(f"{api['apiId']}.appsync-api.localhost:")
    assert api["dns"]["REALTIME"].startswith(f"{api['apiId']}.appsync-realtime-api.localhost:")
    modes = [provider["authType"] for provider in api["eventConfig"]["authProviders"]]
    assert modes == ["API_KEY", "AWS_IAM", "AMAZON_COGNITO_USER_POOLS", "AWS_LAMBDA"]
    assert api["eventConfig"]["authProviders"][3]["lambdaAuthorizerConfig"]["authorizerResultTtlInSeconds"] == 60
    assert api["created"].year > 2020


async def test_namespaces_data_sources_and_keys_of_an_api_are_listed(served: Standalone) -> None:
    api_id = (await call(served, "list_apis"))["apis"][0]["apiId"]
    namespaces = (await call(served, "list_channel_namespaces", apiId=api_id))["channelNamespaces"]
    assert [each["name"] for each in namespaces] == ["default", "scores", "chat", "orders", "bids", "quiz"]
    quiz = (await call(served, "get_channel_namespace", apiId=api_id, name="quiz"))["channelNamespace"]
    assert quiz in namespaces
    assert quiz["handlerConfigs"]["onPublish"]["integration"] == {
        "dataSourceName": "bids_function",
        "lambdaConfig": {"invokeType": "REQUEST_RESPONSE"},
    }
    assert "onSubscribe" in namespaces[1]["codeHandlers"]
    sources = (await call(served, "list_data_sources", apiId=api_id))["dataSources"]
    table = (await call(served, "get_data_source", apiId=api_id, name="orders_table"))["dataSource"]
    assert sources[0] == table
    assert table["dynamodbConfig"] == {"tableName": "ticker-dev-orders", "awsRegion": "us-east-1"}
    assert sources[1]["lambdaConfig"]["lambdaFunctionArn"].endswith(":function:ticker-dev-judge")
    (key,) = (await call(served, "list_api_keys", apiId=api_id))["apiKeys"]
    assert (key["id"], key["description"]) == (served.keys[0], "for the public page")


async def test_long_lists_are_paginated(served: Standalone) -> None:
    api_id = (await call(served, "list_apis"))["apis"][0]["apiId"]
    names: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = await call(served, "list_channel_namespaces", apiId=api_id, maxResults=4, **token)
        names += [each["name"] for each in page["channelNamespaces"]]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert names == ["default", "scores", "chat", "orders", "bids", "quiz"]


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("get_api", {"apiId": "none"}),
        ("get_channel_namespace", {"apiId": "known", "name": "none"}),
        ("get_data_source", {"apiId": "known", "name": "none"}),
        ("list_api_keys", {"apiId": "none"}),
    ],
)
async def test_unknown_ids_and_names_are_not_found(
    served: Standalone, operation: str, arguments: dict[str, Any]
) -> None:
    known = (await call(served, "list_apis"))["apis"][0]["apiId"]
    given = {name: known if value == "known" else value for name, value in arguments.items()}
    with pytest.raises(ClientError) as caught:
        await call(served, operation, **given)
    assert caught.value.response["Error"]["Code"] == "NotFoundException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


async def test_only_a_known_access_key_can_read(served: Standalone) -> None:
    with pytest.raises(ClientError) as caught:
        await asyncio.to_thread(client(served, secret="wrong").list_apis)
    assert caught.value.response["Error"]["Code"] == "AccessDeniedException"
    async with served.session.get(f"{served.base}/v2/apis") as answer:
        assert answer.status == 403
    async with served.session.get(f"{served.base}/v2/apis", headers={"x-local-control": "wrong"}) as answer:
        assert answer.status == 403


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("create_api", {"name": "mine", "eventConfig": {key: [] for key in EVENT_CONFIG}}),
        ("update_channel_namespace", {"apiId": "a", "name": "n"}),
        ("delete_api", {"apiId": "a"}),
        ("create_api_key", {"apiId": "a"}),
    ],
)
async def test_changes_are_refused_with_a_hint_to_the_template(
    served: Standalone, operation: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ClientError, match="change them in their template") as caught:
        await call(served, operation, **arguments)
    assert caught.value.response["Error"]["Code"] == "BadRequestException"


async def test_apis_of_another_region_are_not_listed(served: Standalone) -> None:
    assert (await asyncio.to_thread(client(served, region="eu-west-1").list_apis))["apis"] == []


async def test_invalid_page_parameters_are_refused(served: Standalone) -> None:
    for arguments in ({"maxResults": 26}, {"nextToken": "x"}):
        with pytest.raises(ClientError) as caught:
            await call(served, "list_apis", **arguments)
        assert caught.value.response["Error"]["Code"] == "BadRequestException"
