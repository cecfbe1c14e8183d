"""What can go wrong, as one tree.

    ChatError                   400-599, a code for programs, a text for people
    ├── InvalidRequestError     400  a field is missing, unknown, malformed or contradicts another
    ├── UnauthenticatedError    401  no usable access token
    ├── ForbiddenError          403  not a participant, not an admin, not the sender
    ├── NotFoundError           404  no such conversation, message or user
    ├── ConflictError           409  the state does not allow it
    │   └── CallConflictError        the call's state does not allow it; carries the call as it is now
    ├── TooLargeError           413  the body is larger than a request may be
    ├── TooManyRequestsError    429  the caller's own limit; says when to come back
    └── UnavailableError        503  nothing is wrong with the request: try again
    OutcomeUnknownError         a write was answered by nobody: it may or may not have happened

`handlers.entry.http` is the only place that turns them into answers.
"""

from __future__ import annotations

from typing import ClassVar

from contract.calls.models import CallView
from contract.requests import ErrorCode


class ChatError(Exception):
    """A refusal that the caller may read.

    Args:
        message: one sentence for people, without internals.
        field: the request's field that caused it, if one did.
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
    """There is no usable access token."""

    status = 401
    code = "UNAUTHENTICATED"


class ForbiddenError(ChatError):
    """The caller is known and may not do this."""

    status = 403
    code = "FORBIDDEN"


class NotFoundError(ChatError):
    """The thing does not exist."""

    status = 404
    code = "NOT_FOUND"


class ConflictError(ChatError):
    """The thing is in a state that does not allow it."""

    status = 409
    code = "CONFLICT"


class CallConflictError(ConflictError):
    """A call is in a state that does not allow it.

    Args:
        message: one sentence for people, without internals.
        call: the call as it is now, as the refused user may see it; None where that user takes no part in it.
        field: the request's field that caused it, if one did.
    """

    def __init__(self, message: str, call: CallView | None = None, *, field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.call = call


class TooLargeError(ChatError):
    """The body is larger than a request may be."""

    status = 413
    code = "TOO_LARGE"


class TooManyRequestsError(ChatError):
    """The caller's limit is used up; `retry_after` is in whole seconds."""

    status = 429
    code = "TOO_MANY_REQUESTS"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnavailableError(ChatError):
    """A service did not answer, or too many callers changed the same thing at once."""

    status = 503
    code = "UNAVAILABLE"


class OutcomeUnknownError(Exception):
    """A write was sent and never answered, although it was repeated: it may or may not have happened."""
