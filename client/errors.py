"""Everything that can go wrong for a user of this client.

ClientError
├── TargetError                  no target, or one that lacks something
├── UnreachableError             no answer: refused, timed out, cut
├── SignInError                  Cognito said no
│   ├── WrongCredentialsError    unknown user or wrong password
│   ├── NotConfirmedError        the sign-up was never confirmed
│   ├── AccountExistsError       somebody signed up with this address before
│   └── SignedOutError           the refresh token is no longer good: sign in again
├── ApiError                     the HTTP API answered with a status from 400 on
│   ├── InvalidRequestError      400
│   ├── UnauthenticatedError     401
│   ├── ForbiddenError           403
│   ├── NotFoundError            404
│   ├── ConflictError            409
│   ├── TooLargeError            413
│   ├── TooManyRequestsError     429
│   └── ServerFaultError         500 and above
└── EventsError                  the Event API
    ├── ConnectionRefusedByServerError   connection_error
    ├── SubscriptionRefusedError         subscribe_error
    ├── PublishRefusedError              publish_error
    ├── ConnectionLostError              the socket ended while an answer was awaited
    └── ProtocolError                    a frame that cannot be understood
"""

from __future__ import annotations

from dataclasses import dataclass


class ClientError(Exception):
    """The base of everything this client raises on purpose."""


class TargetError(ClientError):
    """No target was found, or it lacks something; the message names the source, the cause and the remedy."""


class UnreachableError(ClientError):
    """A service gave no answer, after every retry."""

    def __init__(self, service: str, cause: str) -> None:
        super().__init__(f"{service} gives no answer: {cause}")
        self.service = service
        self.cause = cause


class SignInError(ClientError):
    """Cognito refused; `code` is its exception's name."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code


class WrongCredentialsError(SignInError):
    """Unknown user or wrong password."""


class NotConfirmedError(SignInError):
    """The sign-up has not been confirmed yet."""


class AccountExistsError(SignInError):
    """There is an account with this address already."""


class SignedOutError(SignInError):
    """The session cannot be renewed; the user has to sign in again."""


class ApiError(ClientError):
    """The HTTP API refused or failed.

    Args:
        status: HTTP status.
        code: the `code` of the error envelope, or an empty text where the answer had no envelope.
        message: the envelope's message.
        field: the offending field of the request, if the answer names one.
        request_id: the request's id in the API's logs, if the answer carries one.
    """

    def __init__(
        self, status: int, code: str, message: str, *, field: str | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(f"{status} {code or 'without envelope'}: {message}" + (f" (field {field})" if field else ""))
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.request_id = request_id


class InvalidRequestError(ApiError):
    """400: the request breaks a rule; `field` names which."""


class UnauthenticatedError(ApiError):
    """401: the access token was refused, also after it was renewed."""


class ForbiddenError(ApiError):
    """403: not yours."""


class NotFoundError(ApiError):
    """404: no such thing."""


class ConflictError(ApiError):
    """409: not in this state."""


class TooLargeError(ApiError):
    """413: the body is too large."""


class TooManyRequestsError(ApiError):
    """429: a limit is used up; `retry_after` says for how many seconds."""

    retry_after: float = 1.0


class ServerFaultError(ApiError):
    """500 and above: not the caller's fault."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: InvalidRequestError,
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: TooLargeError,
    429: TooManyRequestsError,
}


def api_error(status: int) -> type[ApiError]:
    """Return the class of the error for an HTTP status from 400 on."""
    return _BY_STATUS.get(status, ServerFaultError if status >= 500 else ApiError)


@dataclass(frozen=True)
class Reason:
    """One entry of a frame's or body's `errors` (AppSync Events: WebSocket protocol)."""

    type: str
    message: str
    code: int | None = None

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


class EventsError(ClientError):
    """The Event API refused or failed; `reasons` are the errors that it gave."""

    def __init__(self, what: str, reasons: tuple[Reason, ...] = ()) -> None:
        super().__init__(f"{what}: {'; '.join(map(str, reasons))}" if reasons else what)
        self.reasons = reasons

    @property
    def unauthorized(self) -> bool:
        """Whether the credentials were refused (rather than the operation)."""
        return any(reason.type == "UnauthorizedException" for reason in self.reasons)


class ConnectionRefusedByServerError(EventsError):
    """The server answered `connection_error`."""

    @property
    def final(self) -> bool:
        """Whether another try with the same credentials is pointless."""
        return self.unauthorized or any(reason.code in (400, 401, 403) for reason in self.reasons)


class SubscriptionRefusedError(EventsError):
    """The server answered `subscribe_error`."""


class PublishRefusedError(EventsError):
    """The server answered `publish_error`."""


class ConnectionLostError(EventsError):
    """The connection ended while an answer was awaited."""


class ProtocolError(EventsError):
    """The server sent something that is no frame of the protocol."""
