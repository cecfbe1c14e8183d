"""The properties of the served resource types, so that a misspelt property is reported and not ignored.

Source: CloudFormation template reference, AWS::AppSync::Api, ::ChannelNamespace, ::DataSource and ::ApiKey.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final

_HANDLER: Final = frozenset({"Behavior", "Integration"})
_INTEGRATION: Final = frozenset({"DataSourceName", "LambdaConfig"})
_MODES: Final = frozenset({"AuthType"})
_PROVIDER: Final = "EventConfig.AuthProviders[]"
_KNOWN: Final[Mapping[str, Mapping[str, frozenset[str]]]] = {
    "AWS::AppSync::Api": {
        "": frozenset({"Name", "OwnerContact", "EventConfig", "Tags"}),
        "EventConfig": frozenset(
            {
                "AuthProviders", "ConnectionAuthModes", "DefaultPublishAuthModes", "DefaultSubscribeAuthModes",
                "LogConfig",
            }
        ),
        _PROVIDER: frozenset({"AuthType", "CognitoConfig", "LambdaAuthorizerConfig", "OpenIDConnectConfig"}),
        f"{_PROVIDER}.CognitoConfig": frozenset({"UserPoolId", "AwsRegion", "AppIdClientRegex"}),
        f"{_PROVIDER}.LambdaAuthorizerConfig": frozenset(
            {"AuthorizerUri", "AuthorizerResultTtlInSeconds", "IdentityValidationExpression"}
        ),
        f"{_PROVIDER}.OpenIDConnectConfig": frozenset({"Issuer", "ClientId", "IatTTL", "AuthTTL"}),
        "EventConfig.ConnectionAuthModes[]": _MODES,
        "EventConfig.DefaultPublishAuthModes[]": _MODES,
        "EventConfig.DefaultSubscribeAuthModes[]": _MODES,
    },
    "AWS::AppSync::ChannelNamespace": {
        "": frozenset(
            {
                "ApiId", "Name", "CodeHandlers", "CodeS3Location", "HandlerConfigs", "PublishAuthModes",
                "SubscribeAuthModes", "Tags",
            }
        ),
        "HandlerConfigs": frozenset({"OnPublish", "OnSubscribe"}),
        "HandlerConfigs.OnPublish": _HANDLER,
        "HandlerConfigs.OnSubscribe": _HANDLER,
        "HandlerConfigs.OnPublish.Integration": _INTEGRATION,
        "HandlerConfigs.OnSubscribe.Integration": _INTEGRATION,
        "PublishAuthModes[]": _MODES,
        "SubscribeAuthModes[]": _MODES,
    },
    "AWS::AppSync::DataSource": {
        "": frozenset(
            {
                "ApiId", "Name", "Type", "Description", "ServiceRoleArn", "MetricsConfig", "DynamoDBConfig",
                "LambdaConfig", "HttpConfig", "EventBridgeConfig", "RelationalDatabaseConfig",
                "OpenSearchServiceConfig", "ElasticsearchConfig",
            }
        ),
    },
    "AWS::AppSync::ApiKey": {"": frozenset({"ApiId", "ApiKeyId", "Description", "Expires"})},
}  # fmt: skip
_INDEX: Final = re.compile(r"\[\d+\]")


def unknown(kind: str, path: str, keys: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return the keys of a map that CloudFormation does not know, each with the remedy.

    Args:
        kind: type of the resource.
        path: path of the map in the properties; empty for the properties themselves.
        keys: the map.
    """
    known = _KNOWN.get(kind, {}).get(_INDEX.sub("[]", path))
    if known is None:
        return []
    return [(str(key), _remedy(str(key), known)) for key in keys if key not in known]


def _remedy(key: str, known: frozenset[str]) -> str:
    close = get_close_matches(key, sorted(known), n=1)
    return f"did you mean {close[0]}?" if close else f"use one of {', '.join(sorted(known))}, or remove it"
