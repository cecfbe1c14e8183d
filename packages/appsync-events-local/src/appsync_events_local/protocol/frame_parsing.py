"""Reading the frames of a client, which may be anything."""

from collections.abc import Mapping
from typing import Any

from appsync_events_local import limits
from appsync_events_local.errors import bad_request
from appsync_events_local.strict_json import parse


def frame_of(text: str) -> dict[str, Any] | None:
    """The frame in a text message; `None` if it holds none."""
    try:
        frame = parse(text)
    except ValueError:
        return None
    return frame if isinstance(frame, dict) else None


def text_or_none(value: object) -> str | None:
    """The value, if it is text."""
    return value if isinstance(value, str) else None


def check_id(id: str | None) -> None:
    """An operation's id is legal.

    Raises:
        Refusal: it is not, or missing.
    """
    if id is None or limits.OPERATION_ID.fullmatch(id) is None:
        raise bad_request(f"The id must match {limits.OPERATION_ID.pattern}")


def operation_fields(frame: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The channel and the authorization of a subscribe or publish frame.

    Raises:
        Refusal: the channel is missing, or the authorization is no object.
    """
    channel, authorization = frame.get("channel"), frame.get("authorization")
    if not isinstance(channel, str):
        raise bad_request("The channel is missing")
    if authorization is None:
        authorization = {}
    if not isinstance(authorization, dict):
        raise bad_request("The authorization must be an object")
    return channel, authorization
