"""The operation that a caller requests, as authorisation sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from appsync_events_local.protocol.channels import Channel


class EventOperation(StrEnum):
    """The operations that are authorised; the values are those of a Lambda authorizer's request."""

    CONNECT = "EVENT_CONNECT"
    SUBSCRIBE = "EVENT_SUBSCRIBE"
    PUBLISH = "EVENT_PUBLISH"


@dataclass(frozen=True, slots=True)
class RequestedOperation:
    """One operation before it is authorised.

    Attributes:
        operation: its kind.
        channel: its channel; `None` for a connect.
        headers: headers of the HTTP request or the upgrade, as handlers see them.
    """

    operation: EventOperation
    channel: Channel | None
    headers: Mapping[str, str | list[str]] = field(default_factory=dict)
