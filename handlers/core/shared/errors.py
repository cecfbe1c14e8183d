"""The errors of the core, as one tree.

    ChatError                   status 400-599, a code for programs, a message for people
    ├── InvalidRequestError     400  a field is missing, unknown, malformed or contradicts another
    ├── UnauthenticatedError    401  no valid access token
    ├── ForbiddenError          403  not a participant, not an admin, not the sender
    ├── NotFoundError           404  no such conversation, message or user
    ├── ConflictError           409  the state does not allow it
    │   └── CallConflictError        the call's state does not allow it; carries the call as it is now
    ├── TooLargeError           413  the body is larger than a request may be
    ├── TooManyRequestsError    429  the caller's rate limit is used up; with the seconds to wait
    └── UnavailableError        503  the request is valid but cannot be served at present: try again
    OutcomeUnknownError         a write got no response: it may or may not have been stored

Only `handlers.entry.http` translates them into HTTP responses.
"""

from __future__ import annotations

from typing import ClassVar

from contract.calls.models import CallView
from contract.requests import ErrorCode


class ChatError(Exception):
    """An error whose message the caller gets.

    Args:
        message: one sentence for people, without internal details.
        field: the field of the request that caused it, if one did.
    """

    status: ClassVar[int] = 500
    code: ClassVar[ErrorCode] = "INTERNAL"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidRequestError(ChatError):
    """A field is missing, unknown, malformed or contradicts another."""

    status = 400
    code = "INVALID_REQUEST"


class UnauthenticatedError(ChatError):
    """There is no valid access token."""

    status = 401
    code = "UNAUTHENTICATED"


class ForbiddenError(ChatError):
    """The caller is authenticated and not permitted to do this."""

    status = 403
    code = "FORBIDDEN"


class NotFoundError(ChatError):
    """What the request names does not exist."""

    status = 404
    code = "NOT_FOUND"


class ConflictError(ChatError):
    """What the request names is in a state that does not allow the request."""

    status = 409
    code = "CONFLICT"


class CallConflictError(ConflictError):
    """A call is in a state that does not allow the request.

    Args:
        message: one sentence for people, without internal details.
        call: the present call as the caller may see it; None if the caller does not take part in it.
        field: the field of the request that caused it, if one did.
    """

    def __init__(self, message: str, call: CallView | None = None, *, field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.call = call


class TooLargeError(ChatError):
    """The body is larger than a request may be."""

    status = 413
    code = "TOO_LARGE"


class TooManyRequestsError(ChatError):
    """The caller's rate limit is used up; `retry_after` is in whole seconds."""

    status = 429
    code = "TOO_MANY_REQUESTS"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnavailableError(ChatError):
    """A service did not respond, or too many requests changed the same item at once."""

    status = 503
    code = "UNAVAILABLE"


class OutcomeUnknownError(Exception):
    """A write got no response, even after a repeat: it may or may not have been stored."""
