"""The base of this package's errors, and the error entries of the Event API that they carry."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """One entry of `errors` in a frame or HTTP response (AppSync Events: WebSocket protocol).

    Attributes:
        type: `errorType`, for example `UnauthorizedException`.
        message: `message`; empty if there is none.
        code: `errorCode`, an HTTP status, if there is one.
    """

    type: str
    message: str
    code: int | None = None

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


class EventsError(Exception):
    """Base class of all errors that this package raises deliberately.

    Args:
        what: what failed.
        reasons: the errors that the Event API returned.
    """

    reasons: tuple[Reason, ...]

    def __init__(self, what: str, reasons: tuple[Reason, ...] = ()) -> None:
        super().__init__(f"{what}: {'; '.join(map(str, reasons))}" if reasons else what)
        self.reasons = reasons

    @property
    def unauthorized(self) -> bool:
        """Whether the API rejected the credentials, rather than the operation."""
        return any(reason.type == "UnauthorizedException" for reason in self.reasons)
