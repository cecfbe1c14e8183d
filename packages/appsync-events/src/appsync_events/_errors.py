"""All errors of this package.

EventsError
├── EndpointError                    the address of the Event API is invalid
├── CredentialsError                 no credentials available at the moment; a connection retries
│   └── NoCredentialsError           no credentials available any more; a connection ends
├── UnreachableError                 no connection to the API: refused or timed out; nothing was published
├── ConnectionRefusedByServerError   the API answered `connection_error`
├── SubscriptionRefusedError         the API answered `subscribe_error`
├── PublishRefusedError              `publish_error` or HTTP status >= 400; nothing of this request was published
├── EventsFailedError                the API accepted a publish, but rejected some of its events
├── ConnectionLostError              the connection ended before the answer; the outcome is unknown
└── ProtocolError                    the API sent something that the protocol does not define
"""

from __future__ import annotations

from appsync_events._error_base import EventsError, Reason
from appsync_events._results import EventsFailedError, PublishResult

__all__ = [
    "ConnectionLostError",
    "ConnectionRefusedByServerError",
    "CredentialsError",
    "EndpointError",
    "EventsError",
    "EventsFailedError",
    "NoCredentialsError",
    "ProtocolError",
    "PublishRefusedError",
    "Reason",
    "SubscriptionRefusedError",
    "UnreachableError",
]


class EndpointError(EventsError, ValueError):
    """The address of the Event API is invalid; the message shows a valid one."""


class CredentialsError(EventsError):
    """No credentials are available at the moment; `__cause__` is the exception of the application's callback."""


class NoCredentialsError(CredentialsError):
    """No credentials are available any more. Raise it from a token callback when the user must sign in again."""


class UnreachableError(EventsError):
    """The Event API could not be reached; nothing was published."""


class ConnectionRefusedByServerError(EventsError):
    """The API answered `connection_error`."""

    @property
    def final(self) -> bool:
        """Whether a retry with the same credentials is pointless."""
        return self.unauthorized or any(reason.code in (400, 401, 403) for reason in self.reasons)


class SubscriptionRefusedError(EventsError):
    """The API answered `subscribe_error`."""


class PublishRefusedError(EventsError):
    """The API rejected a publish request as a whole: none of its events was published.

    Args:
        what: what failed.
        reasons: the errors that the API returned.
        status: the HTTP status, for a publish over HTTP.

    Attributes:
        status: the HTTP status, for a publish over HTTP.
        earlier: the result of the requests before the rejected one, for a list that takes several requests.
    """

    earlier: PublishResult | None = None
    status: int | None

    def __init__(self, what: str, reasons: tuple[Reason, ...] = (), *, status: int | None = None) -> None:
        super().__init__(what, reasons)
        self.status = status


class ConnectionLostError(EventsError):
    """The connection ended before the answer came; the API may or may not have carried out the operation.

    Attributes:
        earlier: the result of the requests before the one without an answer, for a publish that takes several requests.
    """

    earlier: PublishResult | None = None


class ProtocolError(EventsError):
    """The API sent something that the protocol does not define."""
