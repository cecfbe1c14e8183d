"""What can go wrong for a user of this client.

ClientError
├── TargetError                  no target, or one that lacks something
├── UnreachableError             no answer: refused, timed out, cut
├── SignInError                  Cognito said no
│   ├── WrongCredentialsError    unknown user or wrong password
│   ├── NotConfirmedError        the sign-up was never confirmed
│   ├── AccountExistsError       somebody signed up with this address before
│   └── SignedOutError           the refresh token is no longer good: sign in again
└── ApiError                     the HTTP API answered with a status from 400 on
    ├── InvalidRequestError      400
    ├── UnauthenticatedError     401
    ├── ForbiddenError           403
    ├── NotFoundError            404
    ├── ConflictError            409
    ├── TooLargeError            413
    ├── TooManyRequestsError     429
    └── ServerFaultError         500 and above

The Event API's own errors are those of `appsync_events`. SignedOutError is one of them as well: without a token
there is no connection to come.
"""

from __future__ import annotations

from appsync_events import EventsError, NoCredentialsError

from contract.calls.models import CallView


class ClientError(Exception):
    """The base of everything this client raises on purpose."""


Failure = ClientError | EventsError
"""Whatever a user of this client may be told."""
FAILURES = (ClientError, EventsError)
"""The same, for `except`."""


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


class SignedOutError(SignInError, NoCredentialsError):
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
    """409: not in this state; `call` is the call as it is now, where one stood in the way."""

    call: CallView | None = None


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
