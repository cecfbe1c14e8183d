"""Parses and builds the frames of the AppSync Events WebSocket protocol, without any I/O.

Source: AppSync Events: WebSocket protocol. Unknown frame types and fields are ignored, since AWS may add some.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from appsync_events import _results
from appsync_events._errors import ProtocolError, Reason
from appsync_events._results import Accepted, Failed

SUBPROTOCOL: Final = "aws-appsync-event-ws"
DEFAULT_SILENCE_SECONDS: Final = 300.0
"""Longest silence of a connection if `connection_ack` contains no `connectionTimeoutMs`."""
EVENTS_PER_PUBLISH: Final = 5
"""Maximum events of one publish request (AppSync Events: quotas)."""
PUBLISHES_PER_SECOND: Final = 25
"""Maximum publish requests a second on one connection (AppSync Events: quotas)."""
# Headers of the HTTP request that a signature on the socket covers. An HTTP publish itself sends fewer.
SOCKET_HEADERS: Final = {
    "accept": "application/json, text/javascript",
    "content-encoding": "amz-1.0",
    "content-type": "application/json; charset=UTF-8",
}
HTTP_HEADERS: Final = {"content-type": "application/json"}


@dataclass(frozen=True)
class Acknowledged:
    """`connection_ack`: the connection is open. Without any frame for `silence_seconds` it counts as lost."""

    silence_seconds: float


@dataclass(frozen=True)
class ConnectionRefused:
    """`connection_error`."""

    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class KeepAlive:
    """`ka`, once a minute."""


@dataclass(frozen=True)
class Subscribed:
    """`subscribe_success`."""

    id: str


@dataclass(frozen=True)
class SubscriptionRefused:
    """`subscribe_error`."""

    id: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Unsubscribed:
    """`unsubscribe_success`, or `unsubscribe_error`: in both cases the subscription has ended."""

    id: str


@dataclass(frozen=True)
class Data:
    """`data`: decoded events of one subscription. A frame holds one; the documented array form is parsed as well."""

    id: str
    events: tuple[Any, ...]


@dataclass(frozen=True)
class BroadcastFailed:
    """`broadcast_error`: the API could not deliver an event of this subscription."""

    id: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Published:
    """`publish_success`: the accepted and the failed events."""

    id: str
    successful: tuple[Accepted, ...]
    failed: tuple[Failed, ...]


@dataclass(frozen=True)
class PublishRefused:
    """`publish_error`: none of the events was published."""

    id: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class ErrorFrame:
    """`error`: the API could not process a frame."""

    id: str | None
    reasons: tuple[Reason, ...]


Frame = (
    Acknowledged
    | ConnectionRefused
    | KeepAlive
    | Subscribed
    | SubscriptionRefused
    | Unsubscribed
    | Data
    | BroadcastFailed
    | Published
    | PublishRefused
    | ErrorFrame
)


def compact(document: Any) -> str:
    """Return compact JSON with non-ASCII text unescaped.

    Raises:
        TypeError, ValueError: the document is not a JSON value; NaN and infinity are not.
    """
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def subprotocols(authorization: Mapping[str, str]) -> tuple[str, str]:
    """Return the two subprotocols to offer: the protocol's name, and the credentials in base64url without padding."""
    encoded = base64.urlsafe_b64encode(compact(dict(authorization)).encode()).decode().rstrip("=")
    return SUBPROTOCOL, f"header-{encoded}"


def init_frame() -> str:
    """Return the `connection_init` frame."""
    return compact({"type": "connection_init"})


def subscribe_frame(id: str, channel: str, authorization: Mapping[str, str]) -> str:
    """Return the frame that subscribes to a channel; `id` is unique within the connection."""
    return compact({"type": "subscribe", "id": id, "channel": channel, "authorization": dict(authorization)})


def unsubscribe_frame(id: str) -> str:
    """Return the frame that ends a subscription."""
    return compact({"type": "unsubscribe", "id": id})


def publish_frame(id: str, channel: str, events: Sequence[Any], authorization: Mapping[str, str]) -> str:
    """Return the frame that publishes one to five events, each any JSON value.

    Raises:
        ValueError: the list is empty or has more than five events.
    """
    return compact(
        {"type": "publish", "id": id, **_published_fields(channel, events), "authorization": dict(authorization)}
    )


def connect_body() -> str:
    """Return the text that a signature for connecting covers."""
    return compact({})


def subscribe_body(channel: str) -> str:
    """Return the text that a signature for subscribing covers."""
    return compact({"channel": channel})


def publish_body(channel: str, events: Sequence[Any]) -> str:
    """Return the body of an HTTP publish, which is also the text that a signature for publishing covers.

    Raises:
        ValueError: the list is empty or has more than five events.
    """
    return compact(_published_fields(channel, events))


def _published_fields(channel: str, events: Sequence[Any]) -> dict[str, Any]:
    if not 1 <= len(events) <= EVENTS_PER_PUBLISH:
        raise ValueError(f"a publish request takes 1 to {EVENTS_PER_PUBLISH} events, not {len(events)}")
    return {"channel": channel, "events": [compact(event) for event in events]}


def parse(text: str) -> Frame | None:
    """Parse one frame of the API.

    Returns:
        The frame, or None if its type is unknown.

    Raises:
        ProtocolError: the text is not a frame, or a required field is missing.
    """
    try:
        frame = json.loads(text)
        parser = _PARSERS.get(frame["type"])
        return parser(frame) if parser is not None else None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProtocolError(f"invalid frame: {text[:200]}") from error


def reasons(entries: Any) -> tuple[Reason, ...]:
    """Parse `errors` of a frame or HTTP response."""
    return tuple(
        Reason(
            type=str(entry.get("errorType") or entry.get("code") or "Unknown"),
            message=str(entry.get("message") or ""),
            code=entry.get("errorCode") if isinstance(entry.get("errorCode"), int) else None,
        )
        for entry in entries or ()
    )


def _acknowledged(frame: dict[str, Any]) -> Acknowledged:
    milliseconds = frame.get("connectionTimeoutMs")
    return Acknowledged(float(milliseconds) / 1000 if milliseconds else DEFAULT_SILENCE_SECONDS)


def _data(frame: dict[str, Any]) -> Data:
    event = frame["event"]
    texts = event if isinstance(event, list) else [event]
    return Data(frame["id"], tuple(json.loads(text) for text in texts))


def _published(frame: dict[str, Any]) -> Published:
    return Published(frame["id"], _results.accepted(frame.get("successful")), _results.failed(frame.get("failed")))


_PARSERS: dict[str, Callable[[dict[str, Any]], Frame]] = {
    "connection_ack": _acknowledged,
    "connection_error": lambda frame: ConnectionRefused(reasons(frame.get("errors"))),
    "ka": lambda frame: KeepAlive(),
    "subscribe_success": lambda frame: Subscribed(frame["id"]),
    "subscribe_error": lambda frame: SubscriptionRefused(frame["id"], reasons(frame.get("errors"))),
    "unsubscribe_success": lambda frame: Unsubscribed(frame["id"]),
    "unsubscribe_error": lambda frame: Unsubscribed(frame["id"]),
    "data": _data,
    "broadcast_error": lambda frame: BroadcastFailed(frame["id"], reasons(frame.get("errors"))),
    "publish_success": _published,
    "publish_error": lambda frame: PublishRefused(frame["id"], reasons(frame.get("errors"))),
    "error": lambda frame: ErrorFrame(frame.get("id"), reasons(frame.get("errors"))),
}
