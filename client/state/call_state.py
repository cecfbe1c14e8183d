"""The state of one call as one device sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from contract.calls.models import Attendee, CallStatus, CallType, MediaType, MeetingDocument, ParticipantStatus

LIVE: Final[frozenset[CallStatus]] = frozenset({"RINGING", "ACTIVE"})


@dataclass
class CallState:
    """The state of one call.

    Attributes:
        rings_until: when ringing ends, in seconds since the epoch.
        duration: seconds, once the call has ended.
        names: full names by user id, as far as they are known.
        statuses: the participants' statuses by user id.
        changed_at: the version at which each participant's status is known, by user id; for the owner under "owner".
        is_ringing: this device should ring.
        on_this_device: this device is in the call, or initiated it.
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
    changed_at: dict[str, int] = field(default_factory=dict)
    is_ringing: bool = False
    on_this_device: bool = False
    meeting: MeetingDocument | None = None
    attendee: Attendee | None = None

    @property
    def is_live(self) -> bool:
        """Whether the call is ringing or active."""
        return self.status in LIVE
