"""The errors of the service, named as its model names them."""

from __future__ import annotations


class ChimeError(Exception):
    """A refused call.

    Args:
        code: an exception of the service model, for example `NotFoundException`.
        message: for the caller of the operation.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def bad_request(message: str) -> ChimeError:
    """The input does not match the service's restrictions."""
    return ChimeError("BadRequestException", message)


def not_found(what: str) -> ChimeError:
    """A meeting or attendee does not exist, or no longer."""
    return ChimeError("NotFoundException", f"{what} not found")


def limit_exceeded(message: str) -> ChimeError:
    """A quota is used up."""
    return ChimeError("LimitExceededException", message)
