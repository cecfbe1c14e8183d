"""The model of an Event API, read from resolved CloudFormation properties.

A property that is not supported is refused with its path; only properties without effect on behaviour are ignored
(tags, owner contact, log configuration). Sources: CloudFormation template reference, AWS::AppSync::Api,
::ChannelNamespace and ::ApiKey.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from appsync_events_local import limits
from appsync_events_local.model.auth_providers import (
    AuthMode,
    CognitoProvider,
    Providers,
    modes_from,
    providers_from,
)
from appsync_events_local.model.properties import Properties, PropertyError
from appsync_events_local.protocol.channels import is_namespace_name

__all__ = [
    "Api",
    "ApiKey",
    "AuthMode",
    "Behavior",
    "CognitoProvider",
    "HandlerModel",
    "Hosts",
    "InvokeType",
    "Namespace",
    "PropertyError",
    "api_from",
    "api_key_from",
    "namespace_from",
]


class Behavior(StrEnum):
    """How a handler is implemented."""

    CODE = "CODE"
    DIRECT = "DIRECT"


class InvokeType(StrEnum):
    """How a direct handler's function is invoked: its result is awaited (REQUEST_RESPONSE) or not (EVENT)."""

    REQUEST_RESPONSE = "REQUEST_RESPONSE"
    EVENT = "EVENT"


@dataclass(frozen=True)
class Hosts:
    """The host names (with port, if any) of an API."""

    http: str
    realtime: str


@dataclass(frozen=True)
class Api:
    """An Event API; its publish and subscribe modes apply to namespaces that have no modes of their own."""

    id: str
    name: str
    region: str
    account_id: str
    hosts: Hosts
    providers: Providers
    connect_modes: frozenset[AuthMode]
    publish_modes: frozenset[AuthMode]
    subscribe_modes: frozenset[AuthMode]


@dataclass(frozen=True)
class HandlerModel:
    """The configuration of one handler; without a data source the handler is code alone, or does not exist."""

    behavior: Behavior = Behavior.CODE
    data_source: str | None = None
    invoke_type: InvokeType = InvokeType.REQUEST_RESPONSE


@dataclass(frozen=True)
class Namespace:
    """A channel namespace. Modes of `None` are the API's; a namespace's own modes replace them."""

    name: str
    code: str | None
    on_publish: HandlerModel
    on_subscribe: HandlerModel
    publish_modes: frozenset[AuthMode] | None
    subscribe_modes: frozenset[AuthMode] | None

    def uses(self, data_source: str) -> bool:
        return data_source in (self.on_publish.data_source, self.on_subscribe.data_source)


@dataclass(frozen=True)
class ApiKey:
    """An API key, which is also its id, and its expiry (seconds since the epoch)."""

    key: str
    expires: float
    description: str | None = None


def api_from(api_id: str, body: dict[str, Any]) -> Api:
    """Read `{"name", "properties", "hosts", "region", "accountId"}` of a registration.

    Raises:
        PropertyError: a property is missing, malformed, or not supported.
    """
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", api_id):
        raise PropertyError("apiId", f"{api_id!r} must be 1 to 64 letters, digits and hyphens")
    outer = Properties(body, "")
    properties = outer.map("properties")
    config = properties.map("EventConfig")
    hosts = outer.map("hosts")
    region = outer.text("region")
    providers = providers_from(config.maps("AuthProviders"), config.at("AuthProviders"), region)
    return Api(
        id=api_id,
        name=outer.text("name", properties.text("Name", api_id)),
        region=region,
        account_id=outer.text("accountId"),
        hosts=Hosts(hosts.text("http").lower(), hosts.text("realtime").lower()),
        providers=providers,
        connect_modes=_modes(config, "ConnectionAuthModes", providers.modes),
        publish_modes=_modes(config, "DefaultPublishAuthModes", providers.modes),
        subscribe_modes=_modes(config, "DefaultSubscribeAuthModes", providers.modes),
    )


def namespace_from(name: str, body: dict[str, Any], api: Api) -> Namespace:
    """Read `{"properties": ...}` of a channel namespace of `api`; its code must be text, not an S3 location.

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
        publish_modes=_override(properties, "PublishAuthModes", api.providers.modes),
        subscribe_modes=_override(properties, "SubscribeAuthModes", api.providers.modes),
    )


def api_key_from(key: str, body: dict[str, Any], now: float) -> ApiKey:
    """Read `{"properties": ...}` of an API key; without `Expires` it expires seven days after `now`.

    Raises:
        PropertyError: the key is malformed, or `Expires` is not a time from 1 to 365 days ahead (AppSync API reference,
            CreateApiKey: ApiKeyValidityOutOfBoundsException).
    """
    if not re.fullmatch(r"da2-[a-z0-9]{20,64}", key):
        raise PropertyError("ApiKeyId", "must be da2- followed by 20 to 64 lower-case letters and digits")
    properties = Properties(body, "").map("properties", {})
    expires = properties.number("Expires", now + limits.API_KEY_DEFAULT_SECONDS)
    remedy = (
        f"give a time in seconds since the epoch, from {now + limits.API_KEY_SHORTEST_SECONDS:.0f} (in 1 day) to "
        f"{now + limits.API_KEY_LONGEST_SECONDS:.0f} (in 365 days)"
    )
    if not expires <= now + limits.API_KEY_LONGEST_SECONDS + limits.API_KEY_ROUNDING_SECONDS:
        raise PropertyError("Expires", f"{expires:.0f}: an API key is valid for 365 days at most", remedy)
    if expires < now + limits.API_KEY_SHORTEST_SECONDS - limits.API_KEY_HOUR_SECONDS:
        raise PropertyError("Expires", f"{expires:.0f} is not a time at least 1 day ahead: {_as_date(expires)}", remedy)
    return ApiKey(key, expires, properties.text("Description", None))


def _as_date(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return "no date"


def _modes(config: Properties, key: str, providers: frozenset[AuthMode]) -> frozenset[AuthMode]:
    modes = modes_from(config.maps(key))
    if not modes:
        raise PropertyError(config.at(key), "at least one mode is required")
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
    integration = config.map("Integration")
    name = integration.text("DataSourceName")
    if not name:
        raise PropertyError(integration.at("DataSourceName"), "is empty; remove the handler's configuration instead")
    function = integration.map("LambdaConfig", {})
    invoke_type = function.one_of("InvokeType", list(InvokeType), InvokeType.REQUEST_RESPONSE.value)
    if behavior == Behavior.CODE and function.get("InvokeType") is not None:
        raise PropertyError(
            function.at("InvokeType"), "is for DIRECT handlers; code sets `invocationType` in its request"
        )
    return HandlerModel(Behavior(behavior), name, InvokeType(invoke_type))
