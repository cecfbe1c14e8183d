"""The errors of the chat client. Everything that it raises on purpose is a ClientError.

ClientError
├── TargetError                  no target was found, or a value in it is missing
├── UnreachableError             a service did not respond: connection refused, timeout, connection lost
├── UnknownConversationError     the conversation is not in the user's list
├── UnknownCallError             the client knows no call with this id
├── SignInError                  Cognito refused
│   ├── WrongCredentialsError    unknown user or wrong password
│   ├── NotConfirmedError        the sign-up has not been confirmed
│   ├── AccountExistsError       an account with this e-mail address exists
│   └── SignedOutError           the refresh token is no longer valid: sign in again
├── RealtimeError                the Event API failed
│   └── RealtimeRefusedError     the Event API refused the connection or a subscription of this user
└── ApiError                     the HTTP API responded with a status of 400 or above
    ├── InvalidRequestError      400
    ├── UnauthenticatedError     401
    ├── ForbiddenError           403
    ├── NotFoundError            404
    ├── ConflictError            409
    ├── TooLargeError            413
    ├── TooManyRequestsError     429
    └── ServerFaultError         500 and above
"""

from __future__ import annotations

import appsync_events
from appsync_events import EventsError, NoCredentialsError

from contract.calls.models import CallView


class ClientError(Exception):
    """The base class of every error that the chat client raises on purpose."""


class TargetError(ClientError):
    """No target was found, or a value in it is missing; the message names the source, the cause and the remedy."""


class UnreachableError(ClientError):
    """A service did not respond, after every retry.

    Args:
        service: the name of the service.
        cause: why there was no response.
        message: the text of the error, if `cause` already names the service.
    """

    def __init__(self, service: str, cause: str, message: str | None = None) -> None:
        super().__init__(message or f"no response from {service}: {cause}")
        self.service = service
        self.cause = cause


class UnknownConversationError(ClientError):
    """The conversation is not in the user's list: the id is wrong, or the user is not a participant any more."""

    def __init__(self, conversation_id: str) -> None:
        super().__init__(f"conversation {conversation_id} is not in this user's list")
        self.conversation_id = conversation_id


class UnknownCallError(ClientError):
    """The client knows no call with this id."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"call {session_id} is not known to this client")
        self.session_id = session_id


class SignInError(ClientError):
    """Cognito refused; `code` is the name of its exception."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code


class WrongCredentialsError(SignInError):
    """Unknown user or wrong password."""


class NotConfirmedError(SignInError):
    """The sign-up has not been confirmed yet."""


class AccountExistsError(SignInError):
    """An account with this e-mail address exists already."""


class SignedOutError(SignInError, NoCredentialsError):
    """The session cannot be renewed; the user has to sign in again.

    It is a NoCredentialsError as well, because that error makes the Event API's client stop reconnecting.
    """


class RealtimeError(ClientError):
    """The Event API failed; the cause is the error of `appsync_events`."""


class RealtimeRefusedError(RealtimeError):
    """The Event API refused the connection or a subscription of this user; reconnecting does not help."""


class ApiError(ClientError):
    """The HTTP API refused a request or failed.

    Args:
        status: HTTP status.
        code: the `code` of the error response; empty when the response had no error envelope.
        message: the envelope's message.
        field: the invalid field of the request, if the response names one.
        request_id: the request's id in the API's logs, if the response carries one.
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
    """400: the request is invalid; `field` names the invalid field."""


class UnauthenticatedError(ApiError):
    """401: the access token was refused, also after it was renewed."""


class ForbiddenError(ApiError):
    """403: the user may not do this."""


class NotFoundError(ApiError):
    """404: the resource does not exist."""


class ConflictError(ApiError):
    """409: the present state does not allow the request.

    `call` is the call as it is now, where a call's state is the reason.
    """

    call: CallView | None = None


class TooLargeError(ApiError):
    """413: the body is too large."""


class TooManyRequestsError(ApiError):
    """429: a rate limit is used up; `retry_after` is the number of seconds to wait."""

    retry_after: float = 1.0


class ServerFaultError(ApiError):
    """500 and above: the API failed."""


_BY_STATUS: dict[int, type[ApiError]] = {
    400: InvalidRequestError,
    401: UnauthenticatedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: TooLargeError,
    429: TooManyRequestsError,
}
_REFUSED = (appsync_events.ConnectionRefusedByServerError, appsync_events.SubscriptionRefusedError)
_NO_RESPONSE = (appsync_events.UnreachableError, appsync_events.ConnectionLostError)


def error_class(status: int) -> type[ApiError]:
    """Return the error class of an HTTP status of 400 or above."""
    return _BY_STATUS.get(status, ServerFaultError if status >= 500 else ApiError)


def from_events_error(error: EventsError) -> ClientError:
    """Return the ClientError for an error of the Event API's client.

    An error that the token source raised (Cognito refused or did not respond) is returned itself.
    """
    if isinstance(error, ClientError):
        return error
    if isinstance(error.__cause__, ClientError):
        return error.__cause__
    if isinstance(error, _NO_RESPONSE):
        translated: ClientError = UnreachableError("the Event API", str(error), message=str(error))
    else:
        translated = (RealtimeRefusedError if isinstance(error, _REFUSED) else RealtimeError)(str(error))
    translated.__cause__ = error
    return translated
