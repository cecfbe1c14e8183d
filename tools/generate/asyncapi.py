"""The AsyncAPI 3.0 document of the Event API's channels (AsyncAPI Specification 3.0.0)."""

from __future__ import annotations

from typing import Any, Final

from contract import channels, events, limits
from tools.generate import schemas

_PREFIX: Final = "#/components/schemas/"


def document() -> dict[str, Any]:
    """Return the AsyncAPI document from the backend's point of view: it sends on every channel that carries events."""
    carried = [namespace for namespace in channels.NAMESPACES if events.EVENTS[namespace.name]]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "PantherKolab channels",
            "version": "1",
            "description": (
                "AWS AppSync Events over a WebSocket with the subprotocol `aws-appsync-event-ws`. Delivery is at "
                "least once: an event may arrive again with the same `eventId`. A client that was disconnected "
                "requests the messages it missed by sequence number (`getHistory`)."
            ),
        },
        "defaultContentType": "application/json",
        "servers": {
            "realtime": {
                "host": "{endpoint}",
                "pathname": "/event/realtime",
                "protocol": "wss",
                "variables": {"endpoint": {"description": "the realtime host (output of the Events stack)"}},
                "security": [{"$ref": "#/components/securitySchemes/accessToken"}],
            }
        },
        "channels": {namespace.name: _channel(namespace) for namespace in channels.NAMESPACES},
        "operations": {
            **{f"send_{namespace.name}": _operation(namespace, "send") for namespace in carried},
            **{
                f"receive_{namespace.name}": _operation(namespace, "receive")
                for namespace in carried
                if namespace.optional
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


def _channel(namespace: channels.Namespace) -> dict[str, Any]:
    return {
        "address": channels.template(namespace),
        "summary": namespace.carries,
        "description": (
            f"Subscribe: {namespace.subscribe}. Publish: {namespace.publish}."
            + (" Exists only in environments with direct channel messaging." if namespace.optional else "")
        ),
        "parameters": {
            segment: {
                "description": f"letters, digits and inner dashes, at most {limits.SEGMENT_CHARACTERS} characters"
            }
            for segment in namespace.segments
        },
        "messages": {
            model.__name__: {"$ref": f"#/components/messages/{model.__name__}"}
            for model in events.EVENTS[namespace.name]
        },
    }


def _operation(namespace: channels.Namespace, action: str) -> dict[str, Any]:
    publisher = "The backend publishes" if action == "send" else "A member publishes"
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{namespace.name}"},
        "summary": f"{publisher} {namespace.carries}.",
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
