"""The responses of the calls routes."""

from __future__ import annotations

from contract.calls.models import Attendee, CallView, MeetingDocument
from contract.responses import Success


class CallInitiated(Success):
    """The call; `duplicate` is true if the tempId was used before: then it is the first call, as it is now."""

    sessionId: str
    call: CallView
    duplicate: bool = False


class CallAccepted(Success):
    """The call and what the caller's device needs to join: the meeting, and in `attendees`, by user id, only the
    caller's own credentials.
    """

    sessionId: str
    call: CallView
    meeting: MeetingDocument
    attendees: dict[str, Attendee]


class CallChanged(Success):
    """The call as it is now."""

    sessionId: str
    call: CallView


class CallLeft(Success):
    """The call as it is now; `newOwnerId` is its present owner, and null if the call is over."""

    sessionId: str
    call: CallView
    newOwnerId: str | None = None


class CallPage(Success):
    """The caller's calls; `nextCursor` is null on the last page."""

    calls: list[CallView]
    nextCursor: str | None = None


class CallAnswer(Success):
    """One call as the caller sees it."""

    call: CallView
