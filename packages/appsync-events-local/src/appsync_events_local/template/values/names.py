"""The return values (`Ref` and `Fn::GetAtt`) of resources, as CloudFormation would return them.

Names that a template leaves to CloudFormation are derived from stack and logical id, so that they are equal at every
start. Source: "Return values" of each type in the CloudFormation template reference.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

API_ID_LENGTH: Final = 26
_NAME_SUFFIX_LENGTH: Final = 12


@dataclass(frozen=True)
class StackEnvironment:
    """The stack, region, account and host that the names of resources are derived from."""

    name: str
    region: str
    account: str
    authority: str

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


@dataclass(frozen=True)
class ReturnValues:
    """The return values of a resource: of `Ref`, and of `Fn::GetAtt` by attribute."""

    reference: str
    attributes: Mapping[str, str]


PropertyText = Callable[[str], str | None]
"""Returns the text of a property of the resource; `None` if the property does not exist."""


def stable_id(*parts: str, length: int = API_ID_LENGTH) -> str:
    """Return lower-case letters and digits derived from the parts."""
    digest = hashlib.sha256("\x00".join(parts).encode()).digest()
    return base64.b32encode(digest).decode().lower().rstrip("=")[:length]


def api_id_of(stack: str, logical_id: str) -> str:
    """Return the id of an Event API, derived from stack and logical id."""
    return stable_id("api", stack, logical_id)


def api_key_of(stack: str, logical_id: str) -> str:
    """Return an API key, derived from stack and logical id."""
    return f"da2-{stable_id('key', stack, logical_id)}"


def return_values(
    stack: StackEnvironment, kind: str, logical_id: str, text: PropertyText, given: str | None
) -> ReturnValues:
    """Return the return values of a resource.

    Args:
        stack: its stack.
        kind: its type, e.g. `AWS::DynamoDB::Table`.
        logical_id: its logical id.
        text: reads its properties.
        given: its physical id, if set with `--resource`.
    """
    maker = _MAKERS.get(kind)
    if maker is not None:
        return maker(stack, logical_id, text, given)
    return ReturnValues(given or _generated(stack, logical_id), {})


def _generated(stack: StackEnvironment, logical_id: str) -> str:
    suffix = stable_id(stack.name, logical_id, length=_NAME_SUFFIX_LENGTH).upper()
    return f"{stack.name}-{logical_id}-{suffix}"


def _api(stack: StackEnvironment, logical_id: str, text: PropertyText, given: str | None) -> ReturnValues:
    api_id = given or api_id_of(stack.name, logical_id)
    arn = stack.arn("appsync", f"apis/{api_id}")
    hosts = {
        "Dns.Http": f"{api_id}.appsync-api.{stack.authority}",
        "Dns.Realtime": f"{api_id}.appsync-realtime-api.{stack.authority}",
    }
    return ReturnValues(arn, {"ApiId": api_id, "ApiArn": arn, **hosts})


def _in_api(path: str, name_property: str, arn_attribute: str) -> Callable[..., ReturnValues]:
    def maker(stack: StackEnvironment, logical_id: str, text: PropertyText, given: str | None) -> ReturnValues:
        name = given or text(name_property) or logical_id
        arn = stack.arn("appsync", f"apis/{text('ApiId')}/{path}/{name}")
        return ReturnValues(arn, {arn_attribute: arn, "Name": name})

    return maker


def _api_key(stack: StackEnvironment, logical_id: str, text: PropertyText, given: str | None) -> ReturnValues:
    key = given or text("ApiKeyId") or api_key_of(stack.name, logical_id)
    arn = stack.arn("appsync", f"apis/{text('ApiId')}/apikeys/{key}")
    return ReturnValues(arn, {"ApiKey": key, "ApiKeyId": key, "Arn": arn})


def _plain(service: str, resource: str, name_property: str, *, ref_is_arn: bool = False) -> Callable[..., ReturnValues]:
    """Return a maker for resources whose name is a property and whose ARN is `resource` with that name."""

    def maker(stack: StackEnvironment, logical_id: str, text: PropertyText, given: str | None) -> ReturnValues:
        name = given or text(name_property) or _generated(stack, logical_id)
        arn = stack.arn(service, resource.format(name))
        kind_name = name_property[0].upper() + name_property[1:]
        attributes = {"Arn": arn, "Name": name, kind_name: name}
        return ReturnValues(arn if ref_is_arn else name, attributes)

    return maker


def _table(stack: StackEnvironment, logical_id: str, text: PropertyText, given: str | None) -> ReturnValues:
    base = _plain("dynamodb", "table/{}", "TableName")(stack, logical_id, text, given)
    stream = f"{base.attributes['Arn']}/stream/1970-01-01T00:00:00.000"
    return ReturnValues(base.reference, {**base.attributes, "StreamArn": stream})


def _global_arn(service: str, resource: str, name_property: str) -> Callable[..., ReturnValues]:
    def maker(stack: StackEnvironment, logical_id: str, text: PropertyText, given: str | None) -> ReturnValues:
        name = given or text(name_property) or _generated(stack, logical_id)
        account = "" if service == "s3" else stack.account
        return ReturnValues(name, {"Arn": f"arn:aws:{service}::{account}:{resource.format(name)}"})

    return maker


def _function_qualifier(
    stack: StackEnvironment, logical_id: str, text: PropertyText, given: str | None
) -> ReturnValues:
    function = (text("FunctionName") or "").rpartition(":function:")[2]
    qualifier = text("Name") or "1"
    arn = given or stack.arn("lambda", f"function:{function}:{qualifier}")
    return ReturnValues(arn, {"Arn": arn, "AliasArn": arn, "FunctionArn": arn, "Version": qualifier})


def _user_pool(stack: StackEnvironment, logical_id: str, text: PropertyText, given: str | None) -> ReturnValues:
    pool = given or f"{stack.region}_{stable_id('pool', stack.name, logical_id, length=9)}"
    provider = f"cognito-idp.{stack.region}.amazonaws.com/{pool}"
    arn = stack.arn("cognito-idp", f"userpool/{pool}")
    return ReturnValues(
        pool, {"Arn": arn, "UserPoolId": pool, "ProviderName": provider, "ProviderURL": f"https://{provider}"}
    )


def _user_pool_client(stack: StackEnvironment, logical_id: str, text: PropertyText, given: str | None) -> ReturnValues:
    client = given or stable_id("client", stack.name, logical_id)
    return ReturnValues(client, {"ClientId": client})


def _queue(stack: StackEnvironment, logical_id: str, text: PropertyText, given: str | None) -> ReturnValues:
    name = given or text("QueueName") or _generated(stack, logical_id)
    url = f"https://sqs.{stack.region}.amazonaws.com/{stack.account}/{name}"
    return ReturnValues(url, {"Arn": stack.arn("sqs", name), "QueueName": name, "QueueUrl": url})


def _parameter(stack: StackEnvironment, logical_id: str, text: PropertyText, given: str | None) -> ReturnValues:
    name = given or text("Name") or _generated(stack, logical_id)
    return ReturnValues(name, {"Value": text("Value") or "", "Type": text("Type") or "String"})


_function = _plain("lambda", "function:{}", "FunctionName")
_bus = _plain("events", "event-bus/{}", "Name")
_MAKERS: Final[Mapping[str, Callable[[StackEnvironment, str, PropertyText, str | None], ReturnValues]]] = {
    "AWS::AppSync::Api": _api,
    "AWS::AppSync::ChannelNamespace": _in_api("channelNamespace", "Name", "ChannelNamespaceArn"),
    "AWS::AppSync::DataSource": _in_api("datasources", "Name", "DataSourceArn"),
    "AWS::AppSync::ApiKey": _api_key,
    "AWS::AppSync::GraphQLApi": _api,
    "AWS::DynamoDB::Table": _table,
    "AWS::DynamoDB::GlobalTable": _table,
    "AWS::Lambda::Function": _function,
    "AWS::Serverless::Function": _function,
    "AWS::Lambda::Alias": _function_qualifier,
    "AWS::Lambda::Version": _function_qualifier,
    "AWS::Cognito::UserPool": _user_pool,
    "AWS::Cognito::UserPoolClient": _user_pool_client,
    "AWS::Events::EventBus": _bus,
    "AWS::IAM::Role": _global_arn("iam", "role/{}", "RoleName"),
    "AWS::S3::Bucket": _global_arn("s3", "{}", "BucketName"),
    "AWS::SQS::Queue": _queue,
    "AWS::SNS::Topic": _plain("sns", "{}", "TopicName", ref_is_arn=True),
    "AWS::SSM::Parameter": _parameter,
    "AWS::SecretsManager::Secret": _plain("secretsmanager", "secret:{}", "Name", ref_is_arn=True),
    "AWS::Logs::LogGroup": _plain("logs", "log-group:{}:*", "LogGroupName"),
    "AWS::StepFunctions::StateMachine": _plain("states", "stateMachine:{}", "StateMachineName", ref_is_arn=True),
    "AWS::KMS::Key": _plain("kms", "key/{}", "KeyId"),
}
