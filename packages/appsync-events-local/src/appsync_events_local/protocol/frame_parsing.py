"""Parses frames of clients; the input may be any text."""

from collections.abc import Mapping
from typing import Any

from appsync_events_local import limits
from appsync_events_local.errors import bad_request
from appsync_events_local.strict_json import parse


def frame_of(text: str) -> dict[str, Any] | None:
    """Return the frame in a text message; `None` if the text is not a JSON object."""
    try:
        frame = parse(text)
    except ValueError:
        return None
    return frame if isinstance(frame, dict) else None


def text_or_none(value: object) -> str | None:
    """Return the value if it is a string, else `None`."""
    return value if isinstance(value, str) else None


def check_id(id: str | None) -> None:
    """Check that an operation's id is valid.

    Raises:
        Refusal: it is invalid or missing.
    """
    if id is None or limits.OPERATION_ID.fullmatch(id) is None:
        raise bad_request(f"The id must match {limits.OPERATION_ID.pattern}")


def operation_fields(frame: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return the channel and the authorization of a subscribe or publish frame.

    Raises:
        Refusal: the channel is missing, or the authorization is not an object.
    """
    channel, authorization = frame.get("channel"), frame.get("authorization")
    if not isinstance(channel, str):
        raise bad_request("The channel is missing")
    if authorization is None:
        authorization = {}
    if not isinstance(authorization, dict):
        raise bad_request("The authorization must be an object")
    return channel, authorization
