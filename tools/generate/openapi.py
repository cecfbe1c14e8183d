"""The OpenAPI 3.1 document of the HTTP API (OpenAPI Specification 3.1.0)."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from contract import limits, requests, responses
from contract.route import Route
from contract.routes import ROUTES
from contract.statuses import COMMON, STATUSES
from tools.generate import schemas

PREFIX: Final = "#/components/schemas/"
_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_TAGS: Final = {
    "messages": "Send, read, page, edit and delete messages.",
    "conversations": "Direct conversations and groups.",
    "users": "Profiles, search and blocks.",
    "calls": "Start, answer, reject, cancel and end calls.",
}
_API: Final = "the API's address (output of the Routes stack)"
_SUCCESS: Final = {200: "Done.", 201: "Created."}


class GatewayMessage(msgspec.Struct):
    """The body of an error that the HTTP API returns before a function runs (401, 403, 404, 429)."""

    message: str


def document() -> dict[str, Any]:
    """Return the OpenAPI document: every route, model, status and limit of the HTTP API."""
    bodies: list[type[Any]] = [route.request for route in ROUTES if _has_body(route)]
    models: list[type[Any]] = [*dict.fromkeys(bodies), *schemas.response_models(), GatewayMessage]
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "PantherKolab chat API",
            "version": "1",
            "description": (
                "Every response is JSON with `success`. Unknown fields in a request are refused. Dates are ISO 8601 in "
                "UTC with milliseconds. The caller is the `sub` of the access token."
            ),
        },
        "servers": [{"url": "{api}", "variables": {"api": {"default": "https://api.example", "description": _API}}}],
        "security": [{"accessToken": []}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "accessToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An access token of the user pool (its claim `token_use` is `access`).",
                }
            },
            "schemas": schemas.components(models, PREFIX),
        },
    }


def _has_body(route: Route) -> bool:
    return not route.query and route.request is not requests.EmptyRequest


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation,
        "tags": [route.domain],
        "summary": route.summary,
        "description": _description(route),
        "responses": _responses(route),
    }
    parameters = [_path_parameter(name) for name in _PARAMETER.findall(route.path)]
    if route.query:
        parameters += _query_parameters(route.request)
    elif _has_body(route):
        operation["requestBody"] = {"required": True, "content": _json(route.request.__name__)}
    if parameters:
        operation["parameters"] = parameters
    return operation


def _description(route: Route) -> str:
    text = route.request.__doc__ if route.request is not requests.EmptyRequest else None
    parts = [" ".join((text or "").split())]
    if route.rate:
        parts.append(f"Rate limit: {route.rate.count} requests per user in {route.rate.seconds} seconds.")
    return " ".join(part for part in parts if part) or route.summary


def _path_parameter(name: str) -> dict[str, Any]:
    identifier = msgspec.json.schema(requests.PATH_PARAMETERS.get(name, requests.Id))
    return {"name": name, "in": "path", "required": True, "schema": identifier}


def _query_parameters(model: type[requests.Request]) -> list[dict[str, Any]]:
    _, found = msgspec.json.schema_components((model,), ref_template=PREFIX + "{name}")
    schema = found[model.__name__]
    return [
        {"name": name, "in": "query", "required": name in schema["required"], "schema": _parameter_schema(field)}
        for name, field in schema["properties"].items()
    ]


def _parameter_schema(field: dict[str, Any]) -> dict[str, Any]:
    alternatives = [choice for choice in field.get("anyOf", ()) if choice != {"type": "null"}]
    return alternatives[0] if alternatives else field


def _responses(route: Route) -> dict[str, Any]:
    answers: dict[str, Any] = {
        str(status): {"description": _SUCCESS[status], "content": _json(route.response.__name__)}
        for status in route.status
    }
    for status, meaning in sorted(refusals(route).items()):
        answers[str(status)] = _refusal(status, meaning)
    return answers


def refusals(route: Route) -> dict[int, str]:
    """Return every error status that a route may return, with its causes."""
    found = {status: STATUSES[status][1] for status in COMMON}
    if not route.query:
        found[413] = f"{STATUSES[413][1]}: more than {limits.BODY_BYTES} bytes"
    found.update(route.refusals)
    return found


def _refusal(status: int, meaning: str) -> dict[str, Any]:
    code = STATUSES[status][0]
    example = {"success": False, "error": {"code": code, "message": meaning, "field": None}}
    answer: dict[str, Any] = {"description": meaning, "content": _json(responses.Failure.__name__, example)}
    if status in (401, 429):
        answer["content"]["application/json"]["schema"] = {
            "oneOf": [{"$ref": PREFIX + responses.Failure.__name__}, {"$ref": PREFIX + GatewayMessage.__name__}]
        }
    if status == 429:
        answer["headers"] = {
            "Retry-After": {"description": "whole seconds to wait", "schema": {"type": "integer", "minimum": 1}}
        }
    return answer


def _json(model: str, example: Any = None) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": PREFIX + model}}
    if example is not None:
        content["example"] = example
    return {"application/json": content}
