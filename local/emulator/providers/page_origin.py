"""The web page's origin in allow-lists.

The local environment allows the page's usual address, `http://localhost:4568`. A local cloud on other ports serves
its page from another one; browsers must be able to call the API from there too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import provisioners

from local.processes.ports import DEFAULT_BASE_PORT, Ports

Provisioned = tuple[str, dict[str, Any]]

_USUAL_PORT = Ports.from_base(DEFAULT_BASE_PORT).web
_HOSTS = ("localhost", "127.0.0.1")


def install_page_origin(web_port: int) -> None:
    """Read the usual page address in `AllowOrigins` of an HTTP API as this cloud's own.

    Args:
        web_port: port of this cloud's web page.
    """
    if web_port == _USUAL_PORT:
        return
    handlers = provisioners._RESOURCE_HANDLERS["AWS::ApiGatewayV2::Api"]
    create: Callable[..., Provisioned] = handlers["create"]
    update: Callable[..., Provisioned] = handlers["update"]

    def created(logical_id: str, properties: dict[str, Any], stack_name: str) -> Provisioned:
        return create(logical_id, with_page_port(properties, web_port), stack_name)

    def updated(physical_id: str, old: dict[str, Any], new: dict[str, Any], stack_name: str, *rest: Any) -> Provisioned:
        return update(physical_id, with_page_port(old, web_port), with_page_port(new, web_port), stack_name, *rest)

    handlers["create"], handlers["update"] = created, updated


def with_page_port(properties: dict[str, Any], web_port: int) -> dict[str, Any]:
    """The properties of an `AWS::ApiGatewayV2::Api` with the page's usual port replaced in its allowed origins.

    Args:
        properties: as in the template.
        web_port: the port instead of the usual one.
    """
    cors = properties.get("CorsConfiguration")
    if not cors or not cors.get("AllowOrigins"):
        return properties
    usual = {f"http://{host}:{_USUAL_PORT}": f"http://{host}:{web_port}" for host in _HOSTS}
    origins = [usual.get(origin, origin) for origin in cors["AllowOrigins"]]
    return {**properties, "CorsConfiguration": {**cors, "AllowOrigins": origins}}
