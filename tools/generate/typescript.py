"""TypeScript types of everything on the wire, for the web client."""

from __future__ import annotations

import json
from typing import Any, Final

from contract import events, limits, requests
from contract.route import Route
from contract.routes import ROUTES
from tools.generate import schemas

_PREFIX: Final = "#/"
_HEADER: Final = """\
// Written by `python -m tools.generate` from contract; change the models there, not this file.
"""


def document() -> str:
    """Return the TypeScript module: interfaces, the union of events, the routes and the limits."""
    models = (*schemas.request_models(), *schemas.response_models(), *schemas.event_models())
    found = schemas.components(models, _PREFIX)
    found.pop(requests.Nothing.__name__)
    parts = [_HEADER, *(_interface(name, schema) for name, schema in found.items())]
    parts += [_event_unions(), _routes(), _limits()]
    return "\n".join(parts)


def _interface(name: str, schema: dict[str, Any]) -> str:
    required = set(schema["required"])
    lines = [
        f"  {field}{'' if field in required else '?'}: {_type(value)};" for field, value in schema["properties"].items()
    ]
    return "\n".join([_comment(schema.get("description", "")), f"export interface {name} {{", *lines, "}", ""])


def _comment(text: str) -> str:
    lines = text.splitlines()
    if len(lines) == 1:
        return f"/** {text} */"
    return "\n".join(["/**", *(f" * {line}".rstrip() for line in lines), " */"])


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_PREFIX)
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_type(choice) for choice in schema["anyOf"])
    return _plain(schema)


def _plain(schema: dict[str, Any]) -> str:
    match schema["type"]:
        case "string":
            return "string"
        case "integer" | "number":
            return "number"
        case "boolean":
            return "boolean"
        case "null":
            return "null"
        case "array":
            item = _type(schema["items"])
            return f"({item})[]" if " " in item else f"{item}[]"
        case "object":
            values = schema.get("additionalProperties")
            return f"Record<string, {_type(values) if values else 'unknown'}>"
        case other:
            raise ValueError(f"no TypeScript type for the JSON Schema type {other!r}")


def _event_unions() -> str:
    every = " | ".join(model.__name__ for model in schemas.event_models())
    namespaces = [
        f"  {name}: {' | '.join(model.__name__ for model in models) or 'never'};"
        for name, models in events.EVENTS.items()
    ]
    return "\n".join(
        [
            "/** Everything that arrives on a channel. */",
            f"export type ChannelEvent = {every};",
            "",
            "/** The types of events; a client ignores one that it does not know. */",
            'export type EventType = ChannelEvent["type"];',
            "",
            "/** What each channel namespace carries. */",
            "export interface EventsByNamespace {",
            *namespaces,
            "}",
            "",
        ]
    )


def _routes() -> str:
    rows = [f"  {route.operation}: {json.dumps(_route(route))}," for route in ROUTES]
    operations = [
        f"  {route.operation}: {{ request: {_request(route)}; response: {route.response.__name__} }};"
        for route in ROUTES
    ]
    return "\n".join(
        [
            "/** Every route: `query` says that the request goes into the query string and not into the body. */",
            "export const routes = {",
            *rows,
            "} as const;",
            "",
            "export type Operation = keyof typeof routes;",
            "",
            "/** What each operation takes besides its path parameters, and what it answers. */",
            "export interface Operations {",
            *operations,
            "}",
            "",
        ]
    )


def _route(route: Route) -> dict[str, Any]:
    return {"method": route.method, "path": route.path, "query": route.query}


def _request(route: Route) -> str:
    return "Record<string, never>" if route.request is requests.Nothing else route.request.__name__


def _limits() -> str:
    found = {name: value for name, value in vars(limits).items() if name.isupper() and isinstance(value, int)}
    rates = {value.action: value for value in vars(limits).values() if isinstance(value, limits.RateLimit)}
    return "\n".join(
        [
            "/** Limits of the product; lengths are in characters unless the name says otherwise. */",
            "export const limits = {",
            *(f"  {name}: {value}," for name, value in found.items()),
            "} as const;",
            "",
            "/** How often one user may do something: `count` times in every window of `seconds`. */",
            "export const rateLimits = {",
            *(f"  {name}: {{ count: {rate.count}, seconds: {rate.seconds} }}," for name, rate in rates.items()),
            "} as const;",
            "",
        ]
    )
