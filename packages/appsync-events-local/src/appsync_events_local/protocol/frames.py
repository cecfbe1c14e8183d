"""The frames that the service sends, and the WebSocket framing of those that are sent to many.

Texts: AppSync Events: "Understanding the Event API WebSocket protocol". Strict clients refuse unknown frame types, so
nothing else is ever sent.
"""

import json
from collections.abc import Iterable
from struct import pack
from typing import Any, Final

from appsync_events_local.errors import UNSUPPORTED_OPERATION, Refusal
from appsync_events_local.limits import CONNECTION_TIMEOUT_MS

SUBPROTOCOL: Final = "aws-appsync-event-ws"
UNSUPPORTED_MESSAGE: Final = "Operation not supported through the realtime channel"


def encode(value: Any) -> str:
    """Compact JSON; non-ASCII text as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


KEEP_ALIVE: Final = encode({"type": "ka"})
CONNECTION_ACK: Final = encode({"type": "connection_ack", "connectionTimeoutMs": CONNECTION_TIMEOUT_MS})


def connection_error(refusal: Refusal) -> str:
    error = {
        "errorType": refusal.error_type,
        "errorCode": refusal.status,
        "message": refusal.message,
    }
    return encode({"type": "connection_error", "errors": [error]})


def success(operation: str, id: str, **fields: Any) -> str:
    """`subscribe_success`, `unsubscribe_success` or `publish_success`."""
    return encode({"type": f"{operation}_success", "id": id, **fields})


def failure(operation: str, id: str | None, refusal: Refusal) -> str:
    """`subscribe_error`, `unsubscribe_error` or `publish_error`."""
    return _error(f"{operation}_error", id, [refusal.as_error()])


def unsupported(id: str | None = None) -> str:
    """The answer to what is no frame, or a frame of unknown type."""
    return _error("error", id, [{"errorType": UNSUPPORTED_OPERATION, "message": UNSUPPORTED_MESSAGE}])


def _error(type: str, id: str | None, errors: Iterable[dict[str, Any]]) -> str:
    named = {} if id is None else {"id": id}
    return encode({"type": type, **named, "errors": list(errors)})


def as_utf8(text: str) -> bytes:
    """The text in UTF-8; lone surrogates, which have no UTF-8, become `?` (inside JSON they are escaped before)."""
    return text.encode("utf-8", "replace")


def data_prefix(subscription_id: str) -> bytes:
    """The start of every `data` frame of one subscription; `data_suffix` completes it."""
    return b'{"type":"data","id":' + encode(subscription_id).encode() + b',"event":'


def data_suffix(event: str) -> bytes:
    """The rest of a `data` frame, the same for all its receivers: the event's JSON text as ONE string."""
    try:
        return encode(event).encode() + b"}"
    except UnicodeEncodeError:
        return json.dumps(event).encode() + b"}"


def text_frame_header(payload_bytes: int) -> bytes:
    """Header of an unmasked, final text frame (RFC 6455, section 5.2)."""
    if payload_bytes < 126:
        return pack("!BB", 0x81, payload_bytes)
    if payload_bytes < 1 << 16:
        return pack("!BBH", 0x81, 126, payload_bytes)
    return pack("!BBQ", 0x81, 127, payload_bytes)
