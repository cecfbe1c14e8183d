"""The AsyncAPI 3.0 document of the Event API's channels (AsyncAPI Specification 3.0.0)."""

from __future__ import annotations

from typing import Any, Final

from contract import channels, events, limits
from tools.generate import schemas

_PREFIX: Final = "#/components/schemas/"


def document() -> dict[str, Any]:
    """Return the AsyncAPI document, seen from the backend: it sends on every channel that carries an event."""
    carried = [namespace for namespace in channels.NAMESPACES if events.EVENTS[namespace.name]]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "PantherKolab channels",
            "version": "1",
            "description": (
                "AWS AppSync Events over a WebSocket with the subprotocol `aws-appsync-event-ws`. Delivery is at "
                "least once: the same `eventId` may come again. What a client missed while it was away it asks "
                "for by number (`getHistory`)."
            ),
        },
        "defaultContentType": "application/json",
        "servers": {
            "realtime": {
                "host": "{endpoint}",
                "pathname": "/event/realtime",
                "protocol": "wss",
                "variables": {"endpoint": {"description": "the realtime host, an output of the Events stack"}},
                "security": [{"$ref": "#/components/securitySchemes/accessToken"}],
            }
        },
        "channels": {namespace.name: _channel(namespace) for namespace in channels.NAMESPACES},
        "operations": {
            **{f"send_{namespace.name}": _operation(namespace, "send") for namespace in carried},
            **{
                f"receive_{namespace.name}": _operation(namespace, "receive")
                for namespace in carried
                if _open(namespace)
            },
        },
        "components": {
            "securitySchemes": {
                "accessToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The user pool's token, sent as AppSync Events' authorization header.",
                }
            },
            "messages": {model.__name__: _message(model) for model in schemas.event_models()},
            "schemas": schemas.components(schemas.event_models(), _PREFIX),
        },
    }


def _open(namespace: channels.Namespace) -> bool:
    return namespace.optional


def _channel(namespace: channels.Namespace) -> dict[str, Any]:
    return {
        "address": f"/{namespace.name}/{{{namespace.segment}}}",
        "summary": namespace.carries,
        "description": (
            f"Subscribe: {namespace.subscribe}. Publish: {namespace.publish}."
            + (" Present only where direct channel messaging is on." if namespace.optional else "")
        ),
        "parameters": {
            namespace.segment: {
                "description": f"letters, digits and inner dashes, at most {limits.SEGMENT_CHARACTERS} characters"
            }
        },
        "messages": {
            model.__name__: {"$ref": f"#/components/messages/{model.__name__}"}
            for model in events.EVENTS[namespace.name]
        },
    }


def _operation(namespace: channels.Namespace, action: str) -> dict[str, Any]:
    who = "The backend publishes" if action == "send" else "A member publishes"
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{namespace.name}"},
        "summary": f"{who} {namespace.carries}.",
        "messages": [
            {"$ref": f"#/channels/{namespace.name}/messages/{model.__name__}"}
            for model in events.EVENTS[namespace.name]
        ],
    }


def _message(model: type[Any]) -> dict[str, Any]:
    return {
        "name": model.__struct_config__.tag,
        "title": model.__name__,
        "summary": " ".join((model.__doc__ or "").split()),
        "contentType": "application/json",
        "payload": {"$ref": _PREFIX + model.__name__},
    }
