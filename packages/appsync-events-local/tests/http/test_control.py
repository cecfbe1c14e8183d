"""The control API: its token, the registrations that it refuses, and the state after a refusal."""

from typing import Any

import pytest
from appsync_events_local import limits
from service_harness.running import ACCOUNT, API, KEY, REGION, TOKEN, Running, api_properties

PAIR = """
export const onPublish = {
  request(ctx) { return { operation: 'GetItem', key: {} } },
  response(ctx) { return ctx.events },
}
"""


def changed(path: str, value: Any) -> dict[str, Any]:
    """A valid registration of an API with one value replaced; `...` removes it."""
    body: dict[str, Any] = {
        "name": "n",
        "properties": api_properties(),
        "hosts": {"http": "h", "realtime": "r"},
        "region": REGION,
        "accountId": ACCOUNT,
    }
    at: Any = body
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        at = at[part]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return body


def oidc(**config: Any) -> dict[str, Any]:
    return {"AuthType": "OPENID_CONNECT", "OpenIDConnectConfig": config}


def asking(function: str, **config: Any) -> dict[str, Any]:
    return {"AuthType": "AWS_LAMBDA", "LambdaAuthorizerConfig": {"AuthorizerUri": function, **config}}


PROVIDERS = "properties.EventConfig.AuthProviders"
AUTHORIZER = "arn:aws:lambda:us-east-1:000000000000:function:authorizer"
BAD_APIS: list[tuple[str, Any, str]] = [
    ("properties", ..., "properties: is missing"),
    ("properties", [], "properties: must be an object, not list"),
    ("region", ..., "region: is missing"),
    ("accountId", 7, "accountId: must be text, not int"),
    ("hosts.http", ..., "hosts.http: is missing"),
    ("properties.EventConfig", ..., "EventConfig: is missing"),
    (PROVIDERS, [], "EventConfig.AuthProviders: 1 to 50 providers are required"),
    (PROVIDERS, "x", "EventConfig.AuthProviders: must be a list, not str"),
    (f"{PROVIDERS}.1.AuthType", "BASIC", "EventConfig.AuthProviders[1].AuthType: 'BASIC' is not an authorisation mode"),
    (f"{PROVIDERS}.1.AuthType", "AWS_LAMBDA", "EventConfig.AuthProviders[1].LambdaAuthorizerConfig: is missing"),
    (f"{PROVIDERS}.1", {"AuthType": "OPENID_CONNECT"}, "AuthProviders[1].OpenIDConnectConfig: is missing"),
    (f"{PROVIDERS}.1", oidc(), "OpenIDConnectConfig.Issuer: is missing"),
    (f"{PROVIDERS}.1", oidc(Issuer="http://issuer.test"), "'http://issuer.test' is not an https address"),
    (f"{PROVIDERS}.1", oidc(Issuer="https://i.test", ClientId="("), "ClientId: '(' is not a regular expression"),
    (f"{PROVIDERS}.1", oidc(Issuer="https://i.test", IatTTL="soon"), "IatTTL: must be a number, not 'soon'"),
    (f"{PROVIDERS}.1", oidc(Issuer="https://i.test", AuthTTL=-1), "AuthTTL: must not be negative"),
    (f"{PROVIDERS}.1", asking("a-name"), "AuthorizerUri: 'a-name' is not the ARN of a Lambda function"),
    (f"{PROVIDERS}.1", asking(AUTHORIZER, AuthorizerResultTtlInSeconds=3601), "must be 0 to 3600"),
    (f"{PROVIDERS}.1", asking(AUTHORIZER, IdentityValidationExpression="["), "'[' is not a regular expression"),
    (PROVIDERS, [asking(AUTHORIZER), asking(AUTHORIZER)], "at most one AWS_LAMBDA provider is allowed"),
    (PROVIDERS, [{"AuthType": "AWS_IAM"}, {"AuthType": "AWS_IAM"}], "at most one AWS_IAM provider is allowed"),
    (f"{PROVIDERS}.0.CognitoConfig", ..., "EventConfig.AuthProviders[0].CognitoConfig: is missing"),
    (
        f"{PROVIDERS}.0.CognitoConfig.UserPoolId",
        ...,
        "EventConfig.AuthProviders[0].CognitoConfig.UserPoolId: is missing",
    ),
    (f"{PROVIDERS}.0.CognitoConfig.AppIdClientRegex", "(", "AppIdClientRegex: '(' is not a regular expression"),
    ("properties.EventConfig.ConnectionAuthModes", ..., "EventConfig.ConnectionAuthModes: is missing"),
    (
        "properties.EventConfig.ConnectionAuthModes",
        [],
        "EventConfig.ConnectionAuthModes: at least one mode is required",
    ),
    (f"{PROVIDERS}.2", oidc(Issuer="https://i.test"), "no AuthProviders entry for API_KEY"),
]


@pytest.mark.parametrize(("path", "value", "message"), BAD_APIS)
async def test_invalid_api_is_refused_with_the_name_of_the_property(
    service: Running, path: str, value: Any, message: str
) -> None:
    status, answer = await service.control("PUT", "apis/bad", changed(path, value))
    assert status == 400
    assert message in answer["errors"][0]["message"]
    assert "bad" not in (await service.registered("GET", "apis"))["apis"]


HANDLER_CONFIG = {"Behavior": "CODE", "Integration": {"DataSourceName": "missing"}}


def direct(integration: dict[str, Any], behavior: str = "DIRECT") -> dict[str, Any]:
    own = {"Behavior": behavior, "Integration": {"DataSourceName": "d"} | integration}
    return {"HandlerConfigs": {"OnPublish": own}}


BAD_NAMESPACES: list[tuple[str, dict[str, Any], str]] = [
    ("a_b", {}, "'a_b' is not a channel segment"),
    ("x" * 51, {}, "is not a channel segment"),
    ("n", {"CodeHandlers": ""}, "0 characters; 1 to 32768 are allowed"),
    ("n", {"CodeHandlers": "//" + "x" * limits.HANDLER_CODE_CHARACTERS}, "32770 characters; 1 to 32768 are allowed"),
    ("n", {"CodeS3Location": "s3://b/k"}, "CodeS3Location: the code must be fetched"),
    ("n", {"HandlerConfigs": {"OnPublish": HANDLER_CONFIG}}, "the API has no data source missing"),
    (
        "n",
        {"HandlerConfigs": {"OnPublish": {"Behavior": "DIRECT", "Integration": {}}}},
        "HandlerConfigs.OnPublish.Integration.DataSourceName: is missing",
    ),
    ("n", {"HandlerConfigs": {"OnPublish": {"Behavior": "OTHER"}}}, "'OTHER' is neither CODE nor DIRECT"),
    (
        "n",
        direct({"LambdaConfig": {"InvokeType": "LATER"}}),
        "LambdaConfig.InvokeType: must be one of REQUEST_RESPONSE, EVENT, not 'LATER'",
    ),
    (
        "n",
        direct({"LambdaConfig": {"InvokeType": "EVENT"}}, "CODE"),
        "LambdaConfig.InvokeType: is for DIRECT handlers",
    ),
    (
        "n",
        {"HandlerConfigs": {"OnSubscribe": {"Behavior": "CODE", "Integration": {"DataSourceName": ""}}}},
        "HandlerConfigs.OnSubscribe.Integration.DataSourceName: is empty",
    ),
    ("n", {"PublishAuthModes": [{"AuthType": "OPENID_CONNECT"}]}, "no AuthProviders entry for OPENID_CONNECT"),
    ("n", {"CodeHandlers": PAIR}, "no data source is configured"),
]


@pytest.mark.parametrize(("name", "properties", "message"), BAD_NAMESPACES)
async def test_invalid_namespace_is_refused_with_the_reason(
    service: Running, name: str, properties: dict[str, Any], message: str
) -> None:
    status, answer = await service.control("PUT", f"apis/{API}/namespaces/{name}", {"properties": properties})
    assert status == 400
    assert message in answer["errors"][0]["message"]
    assert set((await service.registered("GET", "apis"))["apis"][API]["namespaces"]) == {"open"}


async def test_invalid_handler_code_is_refused_with_its_location_and_the_old_code_stays(
    service: Running,
) -> None:
    await service.namespace("js", "export function onPublish(ctx) { return ctx.events }")
    code = "export function onPublish(ctx) {\n  throw new Error('x')\n}"
    status, answer = await service.control("PUT", f"apis/{API}/namespaces/js", {"properties": {"CodeHandlers": code}})
    assert status == 400
    assert {error["line"] for error in answer["errors"]} == {2}
    assert all(error["message"] and error["column"] >= 1 for error in answer["errors"])
    assert (await service.post("js/a", "1"))[0] == 200


BAD_DATA_SOURCES: list[tuple[str, dict[str, Any], str]] = [
    ("a-b", {"Type": "AMAZON_DYNAMODB"}, "'a-b' does not match"),
    ("d", {}, "Type: is missing"),
    ("d", {"Type": "RELATIONAL_DATABASE"}, "data sources of type RELATIONAL_DATABASE are not supported"),
    ("d", {"Type": "AMAZON_OPENSEARCH_SERVICE"}, "data sources of type AMAZON_OPENSEARCH_SERVICE are not supported"),
    ("d", {"Type": "AMAZON_BEDROCK_RUNTIME"}, "data sources of type AMAZON_BEDROCK_RUNTIME are not supported"),
    ("d", {"Type": "NONE"}, "data sources of type NONE are not supported"),
    ("d", {"Type": "AWS_LAMBDA"}, "LambdaConfig: is missing"),
    ("d", {"Type": "AWS_LAMBDA", "LambdaConfig": {"LambdaFunctionArn": "f"}}, "'f' is not the ARN of a function"),
    ("d", {"Type": "AMAZON_EVENTBRIDGE", "EventBridgeConfig": {}}, "EventBridgeConfig.EventBusArn: is missing"),
    (
        "d",
        {"Type": "AMAZON_EVENTBRIDGE", "EventBridgeConfig": {"EventBusArn": "default"}},
        "is not the ARN of an event",
    ),
    ("d", {"Type": "HTTP", "HttpConfig": {"Endpoint": "ftp://a"}}, "'ftp://a' is not the address of an HTTP server"),
    ("d", {"Type": "HTTP", "HttpConfig": {"Endpoint": "https://a?b"}}, "is not the address of an HTTP server"),
    (
        "d",
        {"Type": "HTTP", "HttpConfig": {"Endpoint": "https://a", "AuthorizationConfig": {"AuthorizationType": "X"}}},
        "AuthorizationConfig.AuthorizationType: must be one of AWS_IAM",
    ),
    (
        "d",
        {
            "Type": "HTTP",
            "HttpConfig": {"Endpoint": "https://a", "AuthorizationConfig": {"AuthorizationType": "AWS_IAM"}},
        },
        "AwsIamConfig.SigningServiceName: is missing",
    ),
    ("d", {"Type": "AMAZON_DYNAMODB"}, "DynamoDBConfig: is missing"),
    ("d", {"Type": "AMAZON_DYNAMODB", "DynamoDBConfig": {}}, "DynamoDBConfig.TableName: is missing"),
    (
        "d",
        {"Type": "AMAZON_DYNAMODB", "DynamoDBConfig": {"TableName": "t", "UseCallerCredentials": True}},
        "DynamoDBConfig.UseCallerCredentials: caller credentials are not supported",
    ),
    (
        "d",
        {"Type": "AMAZON_DYNAMODB", "DynamoDBConfig": {"TableName": "t", "Versioned": True}},
        "DynamoDBConfig.Versioned: conflict detection is not supported",
    ),
]


@pytest.mark.parametrize(("name", "properties", "message"), BAD_DATA_SOURCES)
async def test_invalid_data_source_is_refused_with_the_reason(
    service: Running, name: str, properties: dict[str, Any], message: str
) -> None:
    status, answer = await service.control("PUT", f"apis/{API}/data-sources/{name}", {"properties": properties})
    assert status == 400
    assert message in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    ("key", "properties", "message"),
    [
        ("short", {}, "must be da2-"),
        (KEY + "x", {"Expires": "soon"}, "Expires: must be a number"),
        (KEY + "x", {"Expires": 9_999_999_999}, "365 days at most"),
    ],
)
async def test_invalid_api_key_is_refused_with_the_reason(
    service: Running, key: str, properties: dict[str, Any], message: str
) -> None:
    status, answer = await service.control("PUT", f"apis/{API}/keys/{key}", {"properties": properties})
    assert status == 400
    assert message in answer["errors"][0]["message"]


@pytest.mark.parametrize("headers", [{}, {"x-local-control": ""}, {"x-local-control": TOKEN + "x"}])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "apis"),
        ("PUT", "apis/x"),
        ("DELETE", f"apis/{API}"),
        ("PUT", f"apis/{API}/namespaces/x"),
        ("DELETE", f"apis/{API}/namespaces/open"),
        ("PUT", f"apis/{API}/data-sources/x"),
        ("DELETE", f"apis/{API}/data-sources/x"),
        ("PUT", f"apis/{API}/keys/{KEY}"),
        ("DELETE", f"apis/{API}/keys/{KEY}"),
        ("GET", "faults"),
        ("PUT", "faults"),
        ("DELETE", "faults"),
    ],
)
async def test_control_requests_without_the_token_are_refused(
    service: Running, method: str, path: str, headers: dict[str, str]
) -> None:
    url = f"{service.url}/_control/{path}"
    async with service.session.request(method, url, json={"properties": {}}, headers=headers) as answer:
        assert answer.status == 403
        assert "x-local-control" in (await answer.json())["errors"][0]["message"]
    assert (await service.post("open/a", "1"))[0] == 200


async def test_health_needs_no_token(service: Running) -> None:
    async with service.session.get(f"{service.url}/_control/health") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ok", "apis": 1})


@pytest.mark.parametrize("path", ["namespaces/x", "data-sources/x", f"keys/{KEY}"])
async def test_parts_of_an_unknown_api_are_not_found_and_deleting_them_succeeds(service: Running, path: str) -> None:
    assert (await service.control("PUT", f"apis/unknown/{path}", {"properties": {}}))[0] == 404
    assert (await service.control("DELETE", f"apis/unknown/{path}"))[0] == 200
    assert (await service.control("DELETE", f"apis/{API}/{path.replace(KEY, 'x')}"))[0] == 200


async def test_everything_registered_is_listed(service: Running) -> None:
    listed = (await service.registered("GET", "apis"))["apis"]
    assert set(listed) == {API}
    api = listed[API]
    assert api["hosts"] == {"http": "events.test", "realtime": "realtime.test"}
    assert api["properties"] == api_properties()
    assert {name: entry["properties"] for name, entry in api["namespaces"].items()} == {"open": {}}
    assert set(api["keys"]) == {KEY}
    assert (api["served"], api["connections"], api["subscriptions"]) == (True, 0, {})


@pytest.mark.parametrize("body", [b"{", b"[]", b""])
async def test_body_that_is_not_a_json_object_is_refused(service: Running, body: bytes) -> None:
    url = f"{service.url}/_control/apis/x"
    async with service.session.put(url, data=body, headers={"x-local-control": TOKEN}) as answer:
        assert answer.status == 400
        assert (await answer.json())["errors"][0]["message"].startswith("body: ")


async def test_an_api_has_50_namespaces_at_most(service: Running) -> None:
    for number in range(limits.NAMESPACES_PER_API - 1):
        await service.namespace(f"n{number}")
    status, answer = await service.control("PUT", f"apis/{API}/namespaces/beyond", {"properties": {}})
    assert (status, "at most 50 namespaces" in answer["errors"][0]["message"]) == (400, True)
    await service.namespace("n1")


async def test_an_api_has_50_keys_at_most(service: Running) -> None:
    for number in range(limits.API_KEYS_PER_API - 1):
        await service.registered("PUT", f"apis/{API}/keys/da2-{number:026}", {"properties": {}})
    status, answer = await service.control("PUT", f"apis/{API}/keys/da2-{'z' * 26}", {"properties": {}})
    assert (status, "at most 50 keys" in answer["errors"][0]["message"]) == (400, True)
