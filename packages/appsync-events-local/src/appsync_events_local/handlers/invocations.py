"""The types of a handler invocation: its context, incoming and outgoing events, and how a handler refuses or fails.

Sources: AppSync Events: "Channel namespace handlers", "Context reference" and "Writing event handlers".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

OperationName = Literal["PUBLISH", "SUBSCRIBE"]


@dataclass(frozen=True)
class Incoming:
    """One published event as a handler receives it.

    Attributes:
        id: the event's identifier, unique in its batch.
        payload: the parsed JSON document that was published.
    """

    id: str
    payload: Any


@dataclass(frozen=True)
class Outgoing:
    """One event that a handler returned.

    Attributes:
        id: the identifier of the incoming event that it replaces.
        payload: the JSON document to broadcast (``None`` is broadcast as ``null``).
        error: text when the handler failed this one event; it is then listed as failed and not broadcast.
    """

    id: str
    payload: Any
    error: str | None = None


@dataclass(frozen=True)
class Invocation:
    """The context of one invocation of a handler, without its events.

    Attributes:
        identity: ``ctx.identity`` of the caller, ``None`` with an API key.
        channel: the channel with a leading slash and no trailing one; a wildcard stays literal (``/ns/*``).
        namespace: name of the channel namespace, the channel's first segment.
        request_headers: headers of the request; a repeated header is a list.
        domain_name: the custom domain that was called, ``None`` on the default host.
    """

    identity: Mapping[str, Any] | None
    channel: str
    namespace: str
    request_headers: Mapping[str, str | list[str]] = field(default_factory=dict)
    domain_name: str | None = None

    @property
    def segments(self) -> list[str]:
        """The channel's segments without empty ones, as ``ctx.info.channel.segments`` shows them."""
        return [segment for segment in self.channel.split("/") if segment]


class HandlerRefused(Exception):  # noqa: N818 - an answer of the handler, not a fault
    """The handler refused the operation with ``util.error`` or ``util.unauthorized``.

    Attributes:
        error_type: type for the answer; ``Unauthorized`` after ``util.unauthorized``, empty if ``util.error`` got none.
        message: text for the caller.
        unauthorized: whether it was ``util.unauthorized`` (publish answers 401 instead of 403).
        data: third argument of ``util.error``.
        info: fourth argument of ``util.error``.
    """

    def __init__(
        self, error_type: str, message: str, *, unauthorized: bool = False, data: Any = None, info: Any = None
    ) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.unauthorized = unauthorized
        self.data = data
        self.info = info


class HandlerFailed(Exception):  # noqa: N818 - pairs with HandlerRefused
    """The handler crashed, exceeded its time or memory, or returned an invalid value."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def context_of(invocation: Invocation, operation: OperationName) -> dict[str, Any]:
    """Return `ctx` of one operation, without its events."""
    return {
        "identity": invocation.identity,
        "info": {
            "channel": {"path": invocation.channel, "segments": invocation.segments},
            "channelNamespace": {"name": invocation.namespace},
            "operation": operation,
        },
        "request": {"headers": dict(invocation.request_headers), "domainName": invocation.domain_name},
        "stash": {},
        "result": None,
        "error": None,
    }


def outgoing_from(returned: Any, known: set[str]) -> list[Outgoing]:
    """Read the list that onPublish returned.

    Args:
        returned: a list of `{id, payload, error}` in which nulls are skipped, or `None` to broadcast nothing.
        known: ids of the incoming events.

    Raises:
        HandlerFailed: an id is unknown or occurs twice, or an item is not an event.
    """
    if returned is None:
        return []
    if not isinstance(returned, list):
        raise HandlerFailed("onPublish must return a list of events or null")
    result: list[Outgoing] = []
    seen: set[str] = set()
    for item in returned:
        if item is None:
            continue
        if not isinstance(item, dict) or not isinstance(item.get("id"), str):
            raise HandlerFailed("onPublish returned something that is not an event {id, payload}")
        identifier = item["id"]
        if identifier not in known:
            raise HandlerFailed(f"onPublish returned an event with an unknown id: {identifier}")
        if identifier in seen:
            raise HandlerFailed(f"onPublish returned two events with the same id: {identifier}")
        seen.add(identifier)
        error = item.get("error")
        result.append(Outgoing(identifier, item.get("payload"), None if error is None else str(error)))
    return result
