"""What this service answers when it refuses: AWS's error types, messages and HTTP statuses in one place."""

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
    """An operation is refused, and this is what the caller is told.

    Args:
        error_type: `errorType` of the answer.
        message: what the caller reads. For credentials it is deliberately the same whatever is wrong with them.
        status: HTTP status of the same refusal over HTTP; `errorCode` of a `connection_error`.
        reason: what the operator reads in the log; defaults to the message.
    """

    def __init__(self, error_type: str, message: str, status: int, reason: str | None = None) -> None:
        super().__init__(f"{error_type} ({status}): {reason or message}")
        self.error_type = error_type
        self.message = message
        self.status = status
        self.reason = reason or message

    def as_error(self) -> dict[str, Any]:
        """The entry of an `errors` list, over HTTP and over the socket."""
        return {"errorType": self.error_type, "message": self.message}


def bad_request(message: str) -> Refusal:
    """The request itself is wrong, whoever sends it."""
    return Refusal(BAD_REQUEST, message, 400)


def unauthorized(reason: str) -> Refusal:
    """Credentials or mode are not accepted; `reason` goes to the log only."""
    return Refusal(UNAUTHORIZED, NOT_AUTHORIZED_MESSAGE, 401, reason)


def internal_failure(reason: str, message: str = "Internal failure") -> Refusal:
    """Something behind this service failed; worth a retry."""
    return Refusal(INTERNAL_FAILURE, message, 500, reason)
