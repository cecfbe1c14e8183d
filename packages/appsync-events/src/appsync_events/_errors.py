"""Everything that can go wrong for a user of this package.

EventsError
├── EndpointError                    the address of the Event API cannot be used
├── CredentialsError                 credentials could not be had; a connection tries again
│   └── NoCredentialsError           … and never will be: a connection gives up
├── UnreachableError                 no answer: refused, timed out, cut before anything was sent
├── ConnectionRefusedByServerError   `connection_error`
├── SubscriptionRefusedError         `subscribe_error`
├── PublishRefusedError              `publish_error`, or a status from 400 on: this request published nothing
├── EventsFailedError                events of a publish that the API's handler or size limit turned away
├── UsersMissedError                 a publish to several users that did not reach all of them
├── ConnectionLostError              the connection ended while an answer was awaited
└── ProtocolError                    an answer that cannot be understood
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from appsync_events._results import PublishResult


@dataclass(frozen=True)
class Reason:
    """One entry of a frame's or body's `errors` (AppSync Events: WebSocket protocol)."""

    type: str
    message: str
    code: int | None = None

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


class EventsError(Exception):
    """The base of everything this package raises on purpose; `reasons` are the errors that the Event API gave."""

    def __init__(self, what: str, reasons: tuple[Reason, ...] = ()) -> None:
        super().__init__(f"{what}: {'; '.join(map(str, reasons))}" if reasons else what)
        self.reasons = reasons

    @property
    def unauthorized(self) -> bool:
        """Whether the credentials were refused (rather than the operation)."""
        return any(reason.type == "UnauthorizedException" for reason in self.reasons)


class EndpointError(EventsError, ValueError):
    """The address of the Event API cannot be used; the message says what one looks like."""


class CredentialsError(EventsError):
    """Credentials could not be had this time; the cause is what the application's callback raised."""


class NoCredentialsError(CredentialsError):
    """There will be no credentials any more. Raise it from a token callback when the user has to sign in again."""


class UnreachableError(EventsError):
    """The Event API gave no answer; nothing was published."""


class ConnectionRefusedByServerError(EventsError):
    """The server answered `connection_error`."""

    @property
    def final(self) -> bool:
        """Whether another try with the same credentials is pointless."""
        return self.unauthorized or any(reason.code in (400, 401, 403) for reason in self.reasons)


class SubscriptionRefusedError(EventsError):
    """The server answered `subscribe_error`."""


class PublishRefusedError(EventsError):
    """The server refused a publish: none of its events passed.

    `earlier`, for a list that took several requests, is what became of the requests before the refused one.

    Args:
        what: what was refused.
        reasons: the errors that the API gave.
        status: HTTP status, where it was published over HTTP.
    """

    earlier: PublishResult | None = None

    def __init__(self, what: str, reasons: tuple[Reason, ...] = (), *, status: int | None = None) -> None:
        super().__init__(what, reasons)
        self.status = status


class EventsFailedError(EventsError):
    """A publish was accepted, but some of its events failed; `result` says which and why."""

    def __init__(self, result: PublishResult) -> None:
        reasons = tuple(Reason(failed.code, failed.message) for failed in result.failed)
        super().__init__(f"{len(result.failed)} of {result.count} events failed", reasons)
        self.result = result


class UsersMissedError(EventsError):
    """A publish to several users reached some and not others.

    Args:
        results: what became of it, by user, for those who were reached.
        failures: why not, by user, for the others.
    """

    def __init__(self, results: dict[str, PublishResult], failures: dict[str, EventsError]) -> None:
        super().__init__(f"{len(failures)} of {len(results) + len(failures)} users were not reached")
        self.results = results
        self.failures = failures


class ConnectionLostError(EventsError):
    """The connection ended while an answer was awaited; what was asked for may have been done.

    `earlier`, for a publish that took several requests, is what became of the requests before.
    """

    earlier: PublishResult | None = None


class ProtocolError(EventsError):
    """The server sent something that the protocol does not have."""
