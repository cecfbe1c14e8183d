"""The frames that the service sends, and the WebSocket framing of data frames.

No other frame types are sent, because strict clients refuse unknown types.
Source of the texts: AppSync Events: "Understanding the Event API WebSocket protocol".
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
    """Return compact JSON, with non-ASCII text unescaped."""
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
    """`error`: the answer to a malformed frame or a frame of unknown type."""
    return _error("error", id, [{"errorType": UNSUPPORTED_OPERATION, "message": UNSUPPORTED_MESSAGE}])


def _error(type: str, id: str | None, errors: Iterable[dict[str, Any]]) -> str:
    named = {} if id is None else {"id": id}
    return encode({"type": type, **named, "errors": list(errors)})


def as_utf8(text: str) -> bytes:
    """Return the text in UTF-8; lone surrogates, which UTF-8 cannot encode, become `?` (JSON escapes them before)."""
    return text.encode("utf-8", "replace")


def data_prefix(subscription_id: str) -> bytes:
    """Return the start of every `data` frame of one subscription; `data_suffix` completes it."""
    return b'{"type":"data","id":' + encode(subscription_id).encode() + b',"event":'


def data_suffix(event: str) -> bytes:
    """Return the rest of a `data` frame, equal for all receivers: the event's JSON text as one JSON string."""
    try:
        return encode(event).encode() + b"}"
    except UnicodeEncodeError:
        return json.dumps(event).encode() + b"}"


def text_frame_header(payload_bytes: int) -> bytes:
    """Return the header of an unmasked, final text frame (RFC 6455, section 5.2)."""
    if payload_bytes < 126:
        return pack("!BB", 0x81, payload_bytes)
    if payload_bytes < 1 << 16:
        return pack("!BBH", 0x81, 126, payload_bytes)
    return pack("!BBQ", 0x81, 127, payload_bytes)
