"""The model of a data source, read from resolved CloudFormation properties.

A type that is not supported is refused by its name. Source: CloudFormation template reference,
AWS::AppSync::DataSource.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from appsync_events_local.model.api import Api
from appsync_events_local.model.properties import Properties, PropertyError

__all__ = [
    "DataSourceModel",
    "DataSourceTarget",
    "DynamoDbModel",
    "EventBridgeModel",
    "HttpModel",
    "HttpSigning",
    "LambdaModel",
    "data_source_from",
]


@dataclass(frozen=True)
class DynamoDbModel:
    """A DynamoDB data source: the table of requests that do not name one themselves."""

    table: str
    region: str
    role: str | None = None
    """ARN of the role that accesses the table."""


@dataclass(frozen=True)
class LambdaModel:
    """A Lambda data source."""

    function: str


@dataclass(frozen=True)
class EventBridgeModel:
    """An EventBridge data source: the ARN of the bus that receives every event."""

    bus: str
    region: str
    role: str | None = None
    """ARN of the role that puts events."""


@dataclass(frozen=True)
class HttpSigning:
    """The region and service that requests are signed for (signature version 4)."""

    region: str
    service: str


@dataclass(frozen=True)
class HttpModel:
    """An HTTP data source: requests name a path below this endpoint."""

    endpoint: str
    signing: HttpSigning | None = None


DataSourceTarget = DynamoDbModel | LambdaModel | EventBridgeModel | HttpModel


@dataclass(frozen=True)
class DataSourceModel:
    """A named data source; the type of `target` is its kind."""

    name: str
    target: DataSourceTarget


def data_source_from(name: str, body: dict[str, object], api: Api) -> DataSourceModel:
    """Read `{"properties": ...}` of a data source of `api`.

    Raises:
        PropertyError: a property is missing, malformed, or not supported.
    """
    if not re.fullmatch(r"[_A-Za-z][_0-9A-Za-z]{0,511}", name):
        raise PropertyError("Name", f"{name!r} does not match [_A-Za-z][_0-9A-Za-z]*")
    properties = Properties(body, "").map("properties")
    kind = properties.text("Type")
    readers: dict[str, Callable[[Properties, Api], DataSourceTarget]] = {
        "AMAZON_DYNAMODB": _dynamodb,
        "AWS_LAMBDA": _lambda,
        "HTTP": _http,
        "AMAZON_EVENTBRIDGE": _event_bridge,
    }
    if kind not in readers:
        raise PropertyError("Type", f"data sources of type {kind} are not supported; {', '.join(readers)} are")
    return DataSourceModel(name, readers[kind](properties, api))


def _dynamodb(properties: Properties, api: Api) -> DynamoDbModel:
    config = properties.map("DynamoDBConfig")
    if config.get("UseCallerCredentials") in (True, "true"):
        raise PropertyError(config.at("UseCallerCredentials"), "caller credentials are not supported")
    if config.get("Versioned") in (True, "true"):
        raise PropertyError(config.at("Versioned"), "conflict detection is not supported")
    return DynamoDbModel(config.text("TableName"), config.text("AwsRegion", api.region), _role(properties))


def _lambda(properties: Properties, api: Api) -> LambdaModel:
    config = properties.map("LambdaConfig")
    function = config.text("LambdaFunctionArn")
    if not re.fullmatch(r"arn:[a-z-]+:lambda:[^:]+:[^:]*:function:.+", function):
        raise PropertyError(config.at("LambdaFunctionArn"), f"{function!r} is not the ARN of a function")
    return LambdaModel(function)


def _event_bridge(properties: Properties, api: Api) -> EventBridgeModel:
    config = properties.map("EventBridgeConfig")
    bus = config.text("EventBusArn")
    found = re.fullmatch(r"arn:[a-z-]+:events:([^:]+):[^:]*:event-bus/.+", bus)
    if not found:
        raise PropertyError(config.at("EventBusArn"), f"{bus!r} is not the ARN of an event bus")
    return EventBridgeModel(bus, found[1], _role(properties))


def _role(properties: Properties) -> str | None:
    role: str | None = properties.text("ServiceRoleArn", None)
    return role


def _http(properties: Properties, api: Api) -> HttpModel:
    config = properties.map("HttpConfig")
    endpoint = config.text("Endpoint")
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise PropertyError(config.at("Endpoint"), f"{endpoint!r} is not the address of an HTTP server")
    if config.get("AuthorizationConfig") is None:
        return HttpModel(endpoint)
    authorization = config.map("AuthorizationConfig")
    authorization.one_of("AuthorizationType", ["AWS_IAM"])
    iam = authorization.map("AwsIamConfig", {})
    return HttpModel(endpoint, HttpSigning(iam.text("SigningRegion", api.region), iam.text("SigningServiceName")))
