"""The AppSync Events WebSocket protocol without a socket: text frames in, typed answers out, and the other way round.

Source: AppSync Events: WebSocket protocol. Unknown frame types and fields are ignored, as the protocol may grow.
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
"""How long a connection may be silent where the server's `connection_ack` does not say."""
EVENTS_PER_PUBLISH: Final = 5
"""Most events of one publish (AppSync Events: quotas)."""
PUBLISHES_PER_SECOND: Final = 25
"""Most publish requests a second of one connection (AppSync Events: quotas)."""
LIFETIME_SECONDS: Final = 24 * 60 * 60.0
"""After this time the server ends a connection (AppSync Events: WebSocket protocol)."""
# The HTTP request that a signature on the socket covers; HTTP publishing itself sends fewer headers.
SOCKET_HEADERS: Final = {
    "accept": "application/json, text/javascript",
    "content-encoding": "amz-1.0",
    "content-type": "application/json; charset=UTF-8",
}
HTTP_HEADERS: Final = {"content-type": "application/json"}


@dataclass(frozen=True)
class Acknowledged:
    """The connection is open; without any frame for `silence_seconds` it counts as lost."""

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
    """`unsubscribe_success`, or `unsubscribe_error`: either way the subscription is no more."""

    id: str


@dataclass(frozen=True)
class Data:
    """Events for one subscription, decoded. A frame holds one; the documented array form is understood too."""

    id: str
    events: tuple[Any, ...]


@dataclass(frozen=True)
class BroadcastFailed:
    """`broadcast_error`: an event for this subscription was lost on the server's side."""

    id: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Published:
    """`publish_success`: which of the events passed, and why others did not."""

    id: str
    successful: tuple[Accepted, ...]
    failed: tuple[Failed, ...]


@dataclass(frozen=True)
class PublishRefused:
    """`publish_error`: none of the events passed."""

    id: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Complaint:
    """`error`: a frame was not understood."""

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
    | Complaint
)


def compact(document: Any) -> str:
    """Return compact JSON with non-ASCII text as it is.

    Raises:
        TypeError, ValueError: it is no JSON value; NaN and infinity are none.
    """
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def subprotocols(authorization: Mapping[str, str]) -> tuple[str, str]:
    """Return the two subprotocols to offer: the protocol's name and the credentials, base64url without padding."""
    encoded = base64.urlsafe_b64encode(compact(dict(authorization)).encode()).decode().rstrip("=")
    return SUBPROTOCOL, f"header-{encoded}"


def init_frame() -> str:
    """Return the frame that asks for the connection's acknowledgement."""
    return compact({"type": "connection_init"})


def subscribe_frame(id: str, channel: str, authorization: Mapping[str, str]) -> str:
    """Return the frame that subscribes to a channel under an id that is unique within the connection."""
    return compact({"type": "subscribe", "id": id, "channel": channel, "authorization": dict(authorization)})


def unsubscribe_frame(id: str) -> str:
    """Return the frame that ends a subscription."""
    return compact({"type": "unsubscribe", "id": id})


def publish_frame(id: str, channel: str, events: Sequence[Any], authorization: Mapping[str, str]) -> str:
    """Return the frame that publishes one to five events, each any JSON value.

    Raises:
        ValueError: no event, or more than five.
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
    """Return the body of an HTTP publish, which is also what a signature for publishing covers.

    Raises:
        ValueError: no event, or more than five.
    """
    return compact(_published_fields(channel, events))


def _published_fields(channel: str, events: Sequence[Any]) -> dict[str, Any]:
    if not 1 <= len(events) <= EVENTS_PER_PUBLISH:
        raise ValueError(f"a publish holds 1 to {EVENTS_PER_PUBLISH} events, not {len(events)}")
    return {"channel": channel, "events": [compact(event) for event in events]}


def parse(text: str) -> Frame | None:
    """Read one frame of the server.

    Returns:
        The frame, or None for a type that this client does not know.

    Raises:
        ProtocolError: the text is no frame, or lacks what its type needs.
    """
    try:
        frame = json.loads(text)
        reader = _READERS.get(frame["type"])
        return reader(frame) if reader is not None else None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProtocolError(f"not a frame of the protocol: {text[:200]}") from error


def reasons(entries: Any) -> tuple[Reason, ...]:
    """Read `errors` of a frame or of an HTTP answer."""
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


_READERS: dict[str, Callable[[dict[str, Any]], Frame]] = {
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
    "error": lambda frame: Complaint(frame.get("id"), reasons(frame.get("errors"))),
}
