"""Frames that refuse something, each together with what the owner of the connection should know about it."""

from local.events import frames
from local.events.effects import Refused, Send
from local.events.errors import UNSUPPORTED_OPERATION, Refusal


def failure(kind: str, id: str | None, channel: str | None, refusal: Refusal) -> Send:
    """`subscribe_error`, `unsubscribe_error` or `publish_error`; `channel` is what the client wrote, if anything."""
    return Send(frames.failure(kind, id, refusal), Refused(kind, channel, refusal))


def connection_error(refusal: Refusal) -> Send:
    """`connection_error`."""
    return Send(frames.connection_error(refusal), Refused("connect", None, refusal))


def unsupported(id: str | None) -> Send:
    """The answer to what is no frame, or a frame of unknown type."""
    refusal = Refusal(UNSUPPORTED_OPERATION, frames.UNSUPPORTED_MESSAGE, 400)
    return Send(frames.unsupported(id), Refused("frame", None, refusal))
