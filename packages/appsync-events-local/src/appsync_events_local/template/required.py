"""What CloudFormation requires of a resource beyond what this service needs to serve it.

A template without these is refused by AWS at deployment; the service alone would take a default. Source: CloudFormation
template reference, "Required: Yes" of AWS::AppSync::Api and ::DataSource, and the API reference of CreateApi.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_NAME: Final = re.compile(r"[A-Za-z0-9_\- ]{1,50}")

Finding = tuple[str, str, str]
"""Path of a property, what is wrong, and the remedy."""


def missing(kind: str, properties: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what AWS would refuse in the resolved properties of a resource.

    Args:
        kind: type of the resource.
        properties: its resolved properties.
    """
    if kind == "AWS::AppSync::Api":
        yield from _api(properties)
    elif kind == "AWS::AppSync::DataSource":
        for name in ("DynamoDBConfig", "OpenSearchServiceConfig"):
            yield from _region(properties.get(name), name)


def _api(properties: Mapping[str, Any]) -> Iterator[Finding]:
    name = properties.get("Name")
    if name is None:
        yield "Name", "is missing; AWS requires it", "name the API"
    elif not isinstance(name, str) or not _NAME.fullmatch(name):
        problem = f"{name!r} must be 1 to 50 letters, digits, spaces, hyphens and underscores"
        yield "Name", problem, "use another name"
    config = properties.get("EventConfig")
    providers = config.get("AuthProviders") if isinstance(config, dict) else None
    for index, provider in enumerate(providers if isinstance(providers, list) else []):
        if isinstance(provider, dict):
            yield from _region(provider.get("CognitoConfig"), f"EventConfig.AuthProviders[{index}].CognitoConfig")


def _region(config: object, path: str) -> Iterator[Finding]:
    if isinstance(config, dict) and not config.get("AwsRegion"):
        yield f"{path}.AwsRegion", "is missing; AWS requires it", "set it, for example to !Ref AWS::Region"
