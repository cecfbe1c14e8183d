"""Builders for the frames in the rows: those that a client sends and those that it expects."""

from __future__ import annotations

from typing import Any

from conformance_suite.table import TEXT, UUID, Credentials, Expect, Open, Send, Step

INIT = Send({"type": "connection_init"})
ACK = {"type": "connection_ack", "connectionTimeoutMs": 300000}
KEEP_ALIVE = {"type": "ka"}
NOT_AUTHORIZED = "You are not authorized to make this call."
INVALID_CHANNEL = "Invalid Channel Format"


def connected(by: Credentials = Credentials.API_KEY, on: str = "a") -> tuple[Step, ...]:
    """Open a connection and expect the acknowledgement."""
    return Open(by, on), Send(INIT.frame, on=on), Expect((ACK,), on)


def subscribe(channel: Any, id: Any = "s", by: Credentials = Credentials.API_KEY, on: str = "a", **more: Any) -> Send:
    return Send({"type": "subscribe", "id": id, "channel": channel, **more}, by, on)


def publish(
    channel: Any, *events: Any, id: Any = "p", by: Credentials = Credentials.API_KEY, on: str = "a", **more: Any
) -> Send:
    return Send({"type": "publish", "id": id, "channel": channel, "events": list(events), **more}, by, on)


def unsubscribe(id: Any = "s", on: str = "a") -> Send:
    return Send({"type": "unsubscribe", "id": id}, on=on)


def expect(*frames: dict[str, Any], on: str = "a") -> Expect:
    return Expect(frames, on)


def subscribed(channel: str, id: str = "s", on: str = "a") -> tuple[Step, ...]:
    """Subscribe and expect the acknowledgement."""
    return subscribe(channel, id, on=on), expect(success("subscribe", id), on=on)


def success(operation: str, id: str = "s") -> dict[str, Any]:
    return {"type": f"{operation}_success", "id": id}


def accepted(index: int) -> dict[str, Any]:
    return {"identifier": UUID, "index": index}


def published(*indexes: int, failed: tuple[Any, ...] = (), id: str = "p") -> dict[str, Any]:
    """The answer to a publish: the accepted and the failed events."""
    successful = [accepted(index) for index in indexes]
    return {"type": "publish_success", "id": id, "successful": successful, "failed": list(failed)}


def http_result(*indexes: int, failed: tuple[Any, ...] = ()) -> dict[str, Any]:
    """The body of the answer to an HTTP publish: the accepted and the failed events."""
    return {"successful": [accepted(index) for index in indexes], "failed": list(failed)}


def data(event: Any, id: str = "s") -> dict[str, Any]:
    return {"type": "data", "id": id, "event": event}


def error(kind: Any, message: Any = TEXT) -> dict[str, Any]:
    return {"errorType": kind, "message": message}


def refused(operation: str, id: str, kind: Any, message: Any = TEXT) -> dict[str, Any]:
    return {"type": f"{operation}_error", "id": id, "errors": [error(kind, message)]}


def unsupported(**id: str) -> dict[str, Any]:
    message = "Operation not supported through the realtime channel"
    return {"type": "error", **id, "errors": [error("UnsupportedOperation", message)]}


def connect_refused(kind: Any = "UnauthorizedException", code: Any = 401, message: Any = TEXT) -> dict[str, Any]:
    return {"type": "connection_error", "errors": [{"errorType": kind, "errorCode": code, "message": message}]}


def body(kind: Any, message: Any = TEXT) -> dict[str, Any]:
    """The body of an HTTP error."""
    return {"errors": [error(kind, message)]}


def too_large(index: int) -> dict[str, Any]:
    return {
        "code": "EventTooLargeException",
        "identifier": UUID,
        "index": index,
        "message": "Transformed event is larger than 240KB",
    }
