"""JSON Schemas of the models: msgspec's own, with what holds on the wire and msgspec cannot say."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from contract import events, requests, responses, routes

Schema = dict[str, Any]

SERVER_TIMESTAMP: Final = "serverTimestamp"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def request_models() -> tuple[type[requests.Request], ...]:
    """Return the models of every request, in the order of the routes, each once."""
    return tuple(dict.fromkeys(route.request for route in routes.ROUTES))


def response_models() -> tuple[type[Any], ...]:
    """Return the models of every answer, in the order of the routes, each once, the failure last."""
    return (*dict.fromkeys(route.response for route in routes.ROUTES), responses.Failure)


def event_models() -> tuple[type[Any], ...]:
    """Return the models of every event, in the order of the catalogue, each once."""
    return tuple(dict.fromkeys(model for models in events.EVENTS.values() for model in models))


def components(models: Iterable[type[Any]], prefix: str) -> dict[str, Schema]:
    """Return the JSON Schema (2020-12) of every model and of what it refers to, by name and sorted.

    Args:
        models: msgspec structs.
        prefix: what a reference starts with, for example `#/components/schemas/`.

    Returns:
        Schemas by model name. Whatever the backend writes lists all its fields as required, since it always
        writes all of them; an event also has the `serverTimestamp` that onPublish adds.
    """
    _, found = msgspec.json.schema_components(tuple(models), ref_template=prefix + "{name}")
    tags = {model.__name__ for model in event_models()}
    schemas = {name: _readable(schema) for name, schema in found.items()}
    for name, schema in schemas.items():
        if schema.get("additionalProperties") is False or "properties" not in schema:
            continue
        _as_written(schema)
        if name in tags:
            schema["properties"][SERVER_TIMESTAMP] = {
                "type": "string",
                "description": "when the channel's onPublish handler let the event pass",
            }
            schema["required"].append(SERVER_TIMESTAMP)
    return dict(sorted(schemas.items()))


def _readable(schema: Schema) -> Schema:
    if "description" in schema:
        schema["description"] = inspect.cleandoc(schema["description"])
    return schema


def _as_written(schema: Schema) -> None:
    """Require every field: whatever has a default is written, too; only what may be unset has neither."""
    properties = schema["properties"]
    always = schema.get("required", [])
    schema["required"] = [name for name, field in properties.items() if name in always or "default" in field]
    for name, field in properties.items():
        default = field.pop("default", None)
        if name == "success":
            properties[name] = {"const": default}
        elif name == "type" and len(field.get("enum", ())) == 1:
            properties[name] = {"const": field["enum"][0]}


def events_document() -> Schema:
    """Return one JSON Schema for everything that arrives on a channel; `$defs` names each event and its parts."""
    definitions = components(event_models(), "#/$defs/")
    return {
        "$schema": DIALECT,
        "$id": "urn:pantherkolab:events",
        "title": "Event",
        "description": (
            "An event as it arrives on a channel. A client that has seen `eventId` ignores the event; "
            "it also ignores a `type` that it does not know."
        ),
        "oneOf": [{"$ref": f"#/$defs/{model.__name__}"} for model in event_models()],
        "$defs": definitions,
    }
