"""The model of an Event API, read from resolved CloudFormation properties.

Sources: CloudFormation template reference, AWS::AppSync::Api, ::ChannelNamespace, ::DataSource and ::ApiKey. Whatever a
template asks for and this service cannot serve is refused with the property's name; nothing is dropped silently,
except what has no effect on behaviour (tags, owner contact, log configuration).
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from local.events import limits
from local.events.channels import is_namespace_name
from local.events.properties import Properties, PropertyError

__all__ = [
    "Api",
    "ApiKey",
    "AuthMode",
    "Behavior",
    "CognitoProvider",
    "DataSourceModel",
    "DynamoDbModel",
    "HandlerModel",
    "Hosts",
    "Namespace",
    "PropertyError",
    "api_from",
    "api_key_from",
    "data_source_from",
    "namespace_from",
]


class AuthMode(StrEnum):
    """The modes of an Event API, by their CloudFormation names."""

    API_KEY = "API_KEY"
    LAMBDA = "AWS_LAMBDA"
    IAM = "AWS_IAM"
    OIDC = "OPENID_CONNECT"
    COGNITO = "AMAZON_COGNITO_USER_POOLS"


SERVED_MODES = frozenset({AuthMode.API_KEY, AuthMode.IAM, AuthMode.COGNITO})


class Behavior(StrEnum):
    """How a handler is implemented."""

    CODE = "CODE"
    DIRECT = "DIRECT"


@dataclass(frozen=True)
class CognitoProvider:
    """A user pool whose tokens an API accepts; the pattern (if any) must match the token's app client fully."""

    pool_id: str
    region: str
    app_client_pattern: str | None = None

    @property
    def issuer(self) -> str:
        return f"https://cognito-idp.{self.region}.amazonaws.com/{self.pool_id}"


@dataclass(frozen=True)
class Hosts:
    """The host names (with port, if any) under which an API is served."""

    http: str
    realtime: str


@dataclass(frozen=True)
class Api:
    """An Event API: who may connect, publish and subscribe unless its namespaces say otherwise."""

    id: str
    name: str
    region: str
    account_id: str
    hosts: Hosts
    providers: frozenset[AuthMode]
    cognito: tuple[CognitoProvider, ...]
    connect_modes: frozenset[AuthMode]
    publish_modes: frozenset[AuthMode]
    subscribe_modes: frozenset[AuthMode]


@dataclass(frozen=True)
class HandlerModel:
    """One handler's configuration; without a data source it is plain code (or absent)."""

    behavior: Behavior = Behavior.CODE
    data_source: str | None = None


@dataclass(frozen=True)
class Namespace:
    """A channel namespace. `None` modes mean the API's; a list of its own replaces them."""

    name: str
    code: str | None
    on_publish: HandlerModel
    on_subscribe: HandlerModel
    publish_modes: frozenset[AuthMode] | None
    subscribe_modes: frozenset[AuthMode] | None

    def uses(self, data_source: str) -> bool:
        return data_source in (self.on_publish.data_source, self.on_subscribe.data_source)


@dataclass(frozen=True)
class DynamoDbModel:
    """A DynamoDB data source. Only requests about this table and those it names itself make sense to it."""

    table: str
    region: str


@dataclass(frozen=True)
class DataSourceModel:
    """A named data source; `target` says of which kind."""

    name: str
    target: DynamoDbModel


@dataclass(frozen=True)
class ApiKey:
    """An API key, which is also its id, and when it ends (seconds since the epoch)."""

    key: str
    expires: float


def api_from(api_id: str, body: dict[str, Any]) -> Api:
    """Read `{"name", "properties", "hosts", "region", "accountId"}` of a registration.

    Raises:
        PropertyError: something is missing, of the wrong shape, or not served.
    """
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", api_id):
        raise PropertyError("apiId", f"{api_id!r} is not made of letters, digits and hyphens")
    outer = Properties(body, "")
    properties = outer.map("properties")
    config = properties.map("EventConfig")
    hosts = outer.map("hosts")
    region = outer.text("region")
    providers = config.maps("AuthProviders")
    if not 0 < len(providers) <= limits.AUTH_PROVIDERS_PER_API:
        raise PropertyError(config.at("AuthProviders"), f"between 1 and {limits.AUTH_PROVIDERS_PER_API} are needed")
    modes = frozenset(_mode(provider) for provider in providers)
    return Api(
        id=api_id,
        name=outer.text("name", properties.text("Name", api_id)),
        region=region,
        account_id=outer.text("accountId"),
        hosts=Hosts(hosts.text("http").lower(), hosts.text("realtime").lower()),
        providers=modes,
        cognito=tuple(_cognito(p, region) for p in providers if _mode(p) is AuthMode.COGNITO),
        connect_modes=_modes(config, "ConnectionAuthModes", modes),
        publish_modes=_modes(config, "DefaultPublishAuthModes", modes),
        subscribe_modes=_modes(config, "DefaultSubscribeAuthModes", modes),
    )


def namespace_from(name: str, body: dict[str, Any], api: Api) -> Namespace:
    """Read `{"properties": ...}` of a channel namespace of `api`; code must be text by now, not an S3 location.

    Raises:
        PropertyError: see `api_from`.
    """
    if not is_namespace_name(name):
        raise PropertyError("Name", f"{name!r} is not a channel segment (letters, digits, inner hyphens, at most 50)")
    properties = Properties(body, "").map("properties")
    if properties.get("CodeS3Location") is not None and properties.get("CodeHandlers") is None:
        raise PropertyError("CodeS3Location", "the code must be fetched before it is registered")
    code = properties.text("CodeHandlers", None)
    if code is not None and not 0 < len(code) <= limits.HANDLER_CODE_CHARACTERS:
        raise PropertyError(
            "CodeHandlers", f"{len(code)} characters; 1 to {limits.HANDLER_CODE_CHARACTERS} are allowed"
        )
    configs = properties.map("HandlerConfigs", {})
    return Namespace(
        name=name,
        code=code,
        on_publish=_handler(configs, "OnPublish"),
        on_subscribe=_handler(configs, "OnSubscribe"),
        publish_modes=_override(properties, "PublishAuthModes", api.providers),
        subscribe_modes=_override(properties, "SubscribeAuthModes", api.providers),
    )


def data_source_from(name: str, body: dict[str, Any], api: Api) -> DataSourceModel:
    """Read `{"properties": ...}` of a data source of `api`.

    Raises:
        PropertyError: see `api_from`.
    """
    if not re.fullmatch(r"[_A-Za-z][_0-9A-Za-z]{0,511}", name):
        raise PropertyError("Name", f"{name!r} does not match [_A-Za-z][_0-9A-Za-z]*")
    properties = Properties(body, "").map("properties")
    kind = properties.text("Type")
    if kind != "AMAZON_DYNAMODB":
        raise PropertyError("Type", f"data sources of type {kind} are not served here; AMAZON_DYNAMODB is")
    config = properties.map("DynamoDBConfig")
    if config.get("UseCallerCredentials") in (True, "true"):
        raise PropertyError(config.at("UseCallerCredentials"), "caller credentials are not served here")
    return DataSourceModel(name, DynamoDbModel(config.text("TableName"), config.text("AwsRegion", api.region)))


def api_key_from(key: str, body: dict[str, Any], now: float) -> ApiKey:
    """Read `{"properties": ...}` of an API key; without `Expires` it ends seven days from `now`.

    Raises:
        PropertyError: the key has not the form of one, or `Expires` is no time, or more than 365 days ahead.
    """
    if not re.fullmatch(r"da2-[a-z0-9]{20,64}", key):
        raise PropertyError("ApiKeyId", "is not of the form da2-, then 20 to 64 small letters and digits")
    properties = Properties(body, "").map("properties", {})
    expires = properties.number("Expires", now + limits.API_KEY_DEFAULT_SECONDS)
    if expires > now + limits.API_KEY_LONGEST_SECONDS + limits.API_KEY_ROUNDING_SECONDS:
        raise PropertyError("Expires", "an API key lives 365 days at most")
    return ApiKey(key, expires)


def _mode(provider: Properties) -> AuthMode:
    return _served(provider.text("AuthType"), provider.at("AuthType"))


def _served(name: str, where: str) -> AuthMode:
    if name not in list(AuthMode):
        raise PropertyError(where, f"{name!r} is not an authorisation mode; one of {', '.join(AuthMode)} is")
    mode = AuthMode(name)
    if mode not in SERVED_MODES:
        raise PropertyError(where, f"{name} is not served here; {', '.join(sorted(SERVED_MODES))} are")
    return mode


def _cognito(provider: Properties, region: str) -> CognitoProvider:
    config = provider.map("CognitoConfig")
    pattern = config.text("AppIdClientRegex", None)
    if pattern:
        try:
            re.compile(pattern)
        except re.error as error:
            raise PropertyError(config.at("AppIdClientRegex"), f"{pattern!r} is no pattern: {error}") from error
    return CognitoProvider(config.text("UserPoolId"), config.text("AwsRegion", region), pattern or None)


def _modes(config: Properties, key: str, providers: frozenset[AuthMode]) -> frozenset[AuthMode]:
    modes = frozenset(_mode(entry) for entry in config.maps(key))
    if not modes:
        raise PropertyError(config.at(key), "at least one mode is needed")
    missing = modes - providers
    if missing:
        raise PropertyError(config.at(key), f"no AuthProviders entry for {', '.join(sorted(missing))}")
    return modes


def _override(properties: Properties, key: str, providers: frozenset[AuthMode]) -> frozenset[AuthMode] | None:
    return _modes(properties, key, providers) if properties.get(key) else None


def _handler(configs: Properties, key: str) -> HandlerModel:
    if not configs.get(key):
        return HandlerModel()
    config = configs.map(key)
    behavior = config.text("Behavior")
    if behavior not in list(Behavior):
        raise PropertyError(config.at("Behavior"), f"{behavior!r} is neither CODE nor DIRECT")
    if behavior == Behavior.DIRECT:
        raise PropertyError(config.at("Behavior"), "direct Lambda handlers are not served here; CODE is")
    integration = config.map("Integration")
    name = integration.text("DataSourceName")
    if not name:
        raise PropertyError(integration.at("DataSourceName"), "is empty; leave the handler's configuration out instead")
    return HandlerModel(Behavior(behavior), name)
