"""Error types, messages and HTTP statuses of AWS AppSync Events, in one place.

The messages are AWS's own texts, so that clients that match them behave as on AWS.
"""

from typing import Any, Final

UNAUTHORIZED: Final = "UnauthorizedException"
ACCESS_DENIED: Final = "AccessDeniedException"
UNAUTHORIZED_BY_HANDLER: Final = "Unauthorized"
BAD_REQUEST: Final = "BadRequestException"
NOT_FOUND: Final = "NotFoundException"
UNSUPPORTED_OPERATION: Final = "UnsupportedOperation"
UNKNOWN_OPERATION: Final = "UnknownOperationError"
DUPLICATED_OPERATION: Final = "DuplicatedOperationError"
MAX_SUBSCRIPTIONS: Final = "MaxSubscriptionsReachedError"
LIMIT_EXCEEDED: Final = "LimitExceededException"
THROTTLED: Final = "ThrottlingException"
SUBSCRIPTION_PROCESSING: Final = "SubscriptionProcessingError"
MESSAGE_PROCESSING: Final = "MessageProcessingError"
INTERNAL_FAILURE: Final = "InternalFailureException"
EVENT_TOO_LARGE: Final = "EventTooLargeException"

NOT_AUTHORIZED_MESSAGE: Final = "You are not authorized to make this call."


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """An operation is refused; holds the answer to the client and the reason for the log.

    Args:
        error_type: `errorType` of the answer.
        message: text for the client. For credentials it is the same for every cause, as on AWS.
        status: HTTP status of the refusal over HTTP; `errorCode` of a `connection_error`.
        reason: text for the log; defaults to the message.
    """

    def __init__(self, error_type: str, message: str, status: int, reason: str | None = None) -> None:
        super().__init__(f"{error_type} ({status}): {reason or message}")
        self.error_type = error_type
        self.message = message
        self.status = status
        self.reason = reason or message

    def as_error(self) -> dict[str, Any]:
        """Return the entry of an `errors` list, over HTTP and over the socket."""
        return {"errorType": self.error_type, "message": self.message}


def bad_request(message: str) -> Refusal:
    """The request is malformed, whatever the credentials."""
    return Refusal(BAD_REQUEST, message, 400)


def unauthorized(reason: str) -> Refusal:
    """Credentials or their mode are not accepted; `reason` is written to the log only."""
    return Refusal(UNAUTHORIZED, NOT_AUTHORIZED_MESSAGE, 401, reason)


def internal_failure(reason: str, message: str = "Internal failure") -> Refusal:
    """A dependency of this service failed; the client may retry."""
    return Refusal(INTERNAL_FAILURE, message, 500, reason)
