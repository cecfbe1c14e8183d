"""Error frames, each with the refusal that the owner of the connection writes to the log."""

from appsync_events_local.errors import UNSUPPORTED_OPERATION, Refusal
from appsync_events_local.protocol import frames
from appsync_events_local.protocol.effects import RefusalReport, Send


def failure(kind: str, id: str | None, channel: str | None, refusal: Refusal) -> Send:
    """`subscribe_error`, `unsubscribe_error` or `publish_error`; `channel` is the client's text, if there is any."""
    return Send(frames.failure(kind, id, refusal), RefusalReport(kind, channel, refusal))


def connection_error(refusal: Refusal) -> Send:
    """`connection_error`."""
    return Send(frames.connection_error(refusal), RefusalReport("connect", None, refusal))


def unsupported(id: str | None) -> Send:
    """`error`: the answer to a malformed frame or a frame of unknown type."""
    refusal = Refusal(UNSUPPORTED_OPERATION, frames.UNSUPPORTED_MESSAGE, 400)
    return Send(frames.unsupported(id), RefusalReport("frame", None, refusal))
