"""An Event API whose handlers show what AWS does not document, as a CloudFormation template."""

from __future__ import annotations

from typing import Any

CODE = """
import { util } from '@aws-appsync/utils'
let calls = 0
export function onPublish(ctx) {
  calls = calls + 1
  const { id, payload } = ctx.events[0]
  if (payload.kind === 'identifier') { return [{ id, payload: id }] }
  if (payload.kind === 'state') { return [{ id, payload: calls }] }
  if (payload.kind === 'headers') { return [{ id, payload: Object.keys(ctx.request.headers) }] }
  if (payload.kind === 'loop') {
    let count = 0
    for (const item of payload.items) { count = count + item }
    return [{ id, payload: count }]
  }
  if (payload.kind === 'append') {
    util.appendError('noted')
    return [{ id, payload: 'broadcast' }]
  }
  return [{ id, payload: [
    util.matches('b', 'abc'), 'a.c'.replaceAll('[a-b]', '-'), 'a.c'.replace('.', '-'), 'a.c'.split('.').length
  ] }]
}
"""
AUTHORIZED = """
import { util } from '@aws-appsync/utils'
export function onSubscribe(ctx) {
  util.error(JSON.stringify({ context: ctx.identity.handlerContext, headers: Object.keys(ctx.request.headers) }))
}
"""
TABLE_CODE = """
import { util } from '@aws-appsync/utils'
export const onPublish = {
  request(ctx) {
    const { id, text } = ctx.events[0].payload
    return {
      operation: 'PutItem',
      key: { id: util.dynamodb.toDynamoDB(id) },
      attributeValues: { text: util.dynamodb.toDynamoDB(text) },
      condition: { expression: 'attribute_not_exists(id)' },
    }
  },
  response(ctx) {
    return ctx.events.map(event => ({ id: event.id, payload: ctx.error ? ctx.error.type : 'succeeded' }))
  },
}
"""
FUNCTION_CODE = """
export const onPublish = {
  request(ctx) { return { operation: 'Invoke', payload: ctx.events[0].payload } },
  response(ctx) {
    return ctx.events.map(event => ({ id: event.id, payload: ctx.error ? ctx.error.type : ctx.result }))
  },
}
"""
UNLISTED = """
export function onPublish(ctx) {
  return ctx.events.map(event => ({ id: event.id, payload: 'abc'.normalize('NFC') }))
}
"""
REPLACED = "export function onPublish(ctx) { return ctx.events.map(event => ({ id: event.id, payload: 'code' })) }\n"

FUNCTION = """
import random
import time


def handle(event, context):
    if "authorizationToken" in event:
        return authorize(event["authorizationToken"], event["requestHeaders"])
    if "wait" in event:
        time.sleep(event["wait"])
        return "waited"
    if "fail" in event:
        raise ValueError("not today")
    last = event["info"]["channel"]["segments"][-1]
    if last == "error":
        return {"error": "not today"}
    if last == "raise":
        raise ValueError("not today")
    if last == "null" or event.get("events") is None:
        return None
    return {"events": event["events"]}


def authorize(token, headers):
    if token.startswith("number"):
        return {"isAuthorized": True, "handlerContext": {"number": 1}}
    if token.startswith("without"):
        return {"isAuthorized": True}
    values = {"random": str(random.random()), "headers": ",".join(sorted(headers))}
    return {"isAuthorized": True, "handlerContext": values}
"""
TOKEN_PATTERN = "(good|number|without)[0-9]"
DATA_SOURCE_SECONDS = 29
"""Longer than a data source may take, shorter than the limit of a request."""
_FUNCTION_SECONDS = 40


def template(name: str, key_expires: int, pool: str, region: str, client_id: str) -> dict[str, Any]:
    """The template.

    Args:
        name: name of the APIs.
        key_expires: expiry of the API key, in seconds since the epoch.
        pool, region: the user pool whose tokens the second API accepts.
        client_id: the app client, of whose id that API's pattern contains a part.
    """
    arn = {"Fn::GetAtt": ["Function", "Arn"]}
    authorizer = {"AuthorizerUri": arn, "IdentityValidationExpression": TOKEN_PATTERN}
    cognito = {"UserPoolId": pool, "AwsRegion": region, "AppIdClientRegex": client_id[1:-1]}
    api_id = {"Fn::GetAtt": ["Api", "ApiId"]}
    resources = {
        "Table": _table(),
        "FunctionRole": _role("lambda.amazonaws.com", []),
        "Function": _function(),
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": arn,
                "Principal": "appsync.amazonaws.com",
            },
        },
        "DataRole": _role(
            "appsync.amazonaws.com",
            [
                {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn},
                {"Effect": "Allow", "Action": "dynamodb:*", "Resource": {"Fn::GetAtt": ["Table", "Arn"]}},
            ],
        ),
        "Api": _api(
            name,
            [{"AuthType": "API_KEY"}, {"AuthType": "AWS_LAMBDA", "LambdaAuthorizerConfig": authorizer}],
            "API_KEY",
        ),
        "Pattern": _api(
            f"{name}-pattern",
            [{"AuthType": "AMAZON_COGNITO_USER_POOLS", "CognitoConfig": cognito}],
            "AMAZON_COGNITO_USER_POOLS",
        ),
        "Key": {"Type": "AWS::AppSync::ApiKey", "Properties": {"ApiId": api_id, "Expires": key_expires}},
        "FunctionSource": _source("AWS_LAMBDA", "function", LambdaConfig={"LambdaFunctionArn": arn}),
        "TableSource": _source(
            "AMAZON_DYNAMODB",
            "table",
            DynamoDBConfig={"TableName": {"Ref": "Table"}, "AwsRegion": {"Ref": "AWS::Region"}},
        ),
        "Js": namespace("js", CodeHandlers=CODE),
        "Authorized": namespace("authorized", CodeHandlers=AUTHORIZED, SubscribeAuthModes=[{"AuthType": "AWS_LAMBDA"}]),
        "Direct": namespace(
            "direct", after="FunctionSource", HandlerConfigs={"OnPublish": direct(), "OnSubscribe": direct()}
        ),
        "Invoking": namespace(
            "invoking",
            after="FunctionSource",
            CodeHandlers=FUNCTION_CODE,
            HandlerConfigs={"OnPublish": code("function")},
        ),
        "Storing": namespace(
            "storing", after="TableSource", CodeHandlers=TABLE_CODE, HandlerConfigs={"OnPublish": code("table")}
        ),
    }
    outputs = {
        "ApiId": api_id,
        "Http": {"Fn::GetAtt": ["Api", "Dns.Http"]},
        "Realtime": {"Fn::GetAtt": ["Api", "Dns.Realtime"]},
        "Key": {"Fn::GetAtt": ["Key", "ApiKey"]},
        "PatternId": {"Fn::GetAtt": ["Pattern", "ApiId"]},
        "PatternHttp": {"Fn::GetAtt": ["Pattern", "Dns.Http"]},
        "PatternRealtime": {"Fn::GetAtt": ["Pattern", "Dns.Realtime"]},
    }
    return {"Resources": resources, "Outputs": {name: {"Value": value} for name, value in outputs.items()}}


def namespace(name: str, *, api_id: Any = None, after: str | None = None, **properties: Any) -> dict[str, Any]:
    """A namespace of the API; with an `api_id` for a stack of its own."""
    return {
        "Type": "AWS::AppSync::ChannelNamespace",
        **({"DependsOn": after} if after else {}),
        "Properties": {"ApiId": api_id or {"Fn::GetAtt": ["Api", "ApiId"]}, "Name": name, **properties},
    }


def direct() -> dict[str, Any]:
    """The configuration of a handler that is the function itself."""
    invoke = {"InvokeType": "REQUEST_RESPONSE"}
    return {"Behavior": "DIRECT", "Integration": {"DataSourceName": "function", "LambdaConfig": invoke}}


def code(source: str) -> dict[str, Any]:
    """The configuration of a handler in code with a data source."""
    return {"Behavior": "CODE", "Integration": {"DataSourceName": source}}


def _api(name: str, providers: list[dict[str, Any]], connect: str) -> dict[str, Any]:
    modes = [{"AuthType": connect}]
    config = {
        "AuthProviders": providers,
        "ConnectionAuthModes": modes,
        "DefaultPublishAuthModes": modes,
        "DefaultSubscribeAuthModes": modes,
    }
    return {"Type": "AWS::AppSync::Api", "Properties": {"Name": name, "EventConfig": config}}


def _table() -> dict[str, Any]:
    return {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        },
    }


def _function() -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.13",
            "Handler": "index.handle",
            "Role": {"Fn::GetAtt": ["FunctionRole", "Arn"]},
            "Code": {"ZipFile": FUNCTION},
            "Timeout": _FUNCTION_SECONDS,
        },
    }


def _role(service: str, statements: list[dict[str, Any]]) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    policies = [{"PolicyName": "Use", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}]
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            **({"Policies": policies} if statements else {}),
        },
    }


def _source(kind: str, name: str, **config: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::AppSync::DataSource",
        "Properties": {
            "ApiId": {"Fn::GetAtt": ["Api", "ApiId"]},
            "Name": name,
            "Type": kind,
            "ServiceRoleArn": {"Fn::GetAtt": ["DataRole", "Arn"]},
            **config,
        },
    }
