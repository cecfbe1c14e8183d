"""CORS of HTTP APIs made by CloudFormation.

Upstream: `AWS::ApiGatewayV2::Api` stores `CorsConfiguration` with the template's PascalCase names, and the data
plane reads camelCase ones, so every preflight is answered 403 and no browser can call the API.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import provisioners

Provisioned = tuple[str, dict[str, Any]]


def apply() -> None:
    """Hand the provisioner the names that the data plane reads."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    create: Callable[..., Provisioned] = handlers["create"]
    update: Callable[..., Provisioned] = handlers["update"]

    def created(logical_id: str, properties: dict[str, Any], stack_name: str) -> Provisioned:
        return create(logical_id, _renamed(properties), stack_name)

    def updated(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, *rest: Any) -> Provisioned:
        return update(physical_id, _renamed(old), _renamed(new), stack_name, *rest)

    handlers["create"], handlers["update"] = created, updated


def _renamed(properties: dict[str, Any]) -> dict[str, Any]:
    cors = properties.get("CorsConfiguration")
    if not cors:
        return properties
    renamed = {name[:1].lower() + name[1:]: value for name, value in cors.items()}
    if "allowCredentials" in renamed:
        renamed["allowCredentials"] = str(renamed["allowCredentials"]).lower() == "true"
    return {**properties, "CorsConfiguration": renamed}
