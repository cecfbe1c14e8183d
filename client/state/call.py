"""One call as one device sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from contract.calls.models import Attendee, CallStatus, CallType, MediaType, MeetingDocument, ParticipantStatus

LIVE: Final[frozenset[CallStatus]] = frozenset({"RINGING", "ACTIVE"})


@dataclass
class Call:
    """One call.

    Attributes:
        names: full names by user id, as far as they were told.
        statuses: the participants' statuses by user id.
        rings: this device should ring.
        here: this device is in the call, or has called.
        meeting, attendee: what a media client needs to join, once this device is in the call.
    """

    session_id: str
    version: int = 0
    status: CallStatus = "RINGING"
    call_type: CallType = "DIRECT"
    media_type: MediaType = "AUDIO"
    caller_id: str = ""
    owner_id: str = ""
    rings_until: float = 0.0
    duration: int | None = None
    names: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, ParticipantStatus] = field(default_factory=dict)
    rings: bool = False
    here: bool = False
    meeting: MeetingDocument | None = None
    attendee: Attendee | None = None

    @property
    def is_live(self) -> bool:
        """Whether the call rings or goes on."""
        return self.status in LIVE
