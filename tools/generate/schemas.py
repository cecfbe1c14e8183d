"""JSON Schemas of the models: those of msgspec, with the additions that hold on the wire."""

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
    """Return the models of every response, in the order of the routes, each once; the error response is the last."""
    return (*dict.fromkeys(route.response for route in routes.ROUTES), responses.Failure)


def event_models() -> tuple[type[Any], ...]:
    """Return the models of every event, in the order of `EVENTS`, each once."""
    return tuple(dict.fromkeys(model for models in events.EVENTS.values() for model in models))


def components(models: Iterable[type[Any]], prefix: str) -> dict[str, Schema]:
    """Return the JSON Schema (2020-12) of every model and of every model it refers to, sorted by name.

    Args:
        models: msgspec structs.
        prefix: start of every reference, for example `#/components/schemas/`.

    Returns:
        Schemas by model name. In a response or event every field is required, since the backend always writes all
        of them; an event also has the field `serverTimestamp`, which onPublish adds.
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
                "description": "when the channel's onPublish handler accepted the event",
            }
            schema["required"].append(SERVER_TIMESTAMP)
    return dict(sorted(schemas.items()))


def _readable(schema: Schema) -> Schema:
    if "description" in schema:
        schema["description"] = inspect.cleandoc(schema["description"])
    return schema


def _as_written(schema: Schema) -> None:
    """Require every field, also those with a default; only a field that may be unset stays optional."""
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
    """Return one JSON Schema for all events that channels carry; `$defs` holds each event and its parts."""
    definitions = components(event_models(), "#/$defs/")
    return {
        "$schema": DIALECT,
        "$id": "urn:pantherkolab:events",
        "title": "Event",
        "description": (
            "An event as received on a channel. A client ignores an event whose `eventId` it has already received, "
            "and an event with an unknown `type`."
        ),
        "oneOf": [{"$ref": f"#/$defs/{model.__name__}"} for model in event_models()],
        "$defs": definitions,
    }
