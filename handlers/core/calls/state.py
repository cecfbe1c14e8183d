"""The state of a call: what is stored, and what follows from it alone."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from contract.calls.models import CallStatus, CallType, EndReason, MediaType, ParticipantStatus

LIVE: frozenset[CallStatus] = frozenset({"RINGING", "ACTIVE"})
_LOCKED: frozenset[ParticipantStatus] = frozenset({"RINGING", "JOINED"})


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """One participant.

    Args:
        name: full name at the time of the call.
        rung: whether the participant was notified of the call; False for users who were busy with another call, and
            for users who have blocked the caller.
        joined_at, left_at: milliseconds since the epoch, of the last time.
        accepted_at: when the participant accepted last, also where that was a repetition on the same device.
        device_id: the device that called or answered, where the client sent it.
        attendee_id: Chime's id of the participant in the meeting, once there is one.
    """

    status: ParticipantStatus
    name: str
    rung: bool = True
    joined_at: int | None = None
    accepted_at: int | None = None
    left_at: int | None = None
    device_id: str | None = None
    attendee_id: str | None = None


class CallState(msgspec.Struct, frozen=True, kw_only=True):
    """A call. Times are milliseconds since the epoch.

    Args:
        version: grows by one with each transition.
        owner_id: the user who may end a group call; always a participant who has joined, while the call is live.
        participants: by user id; the caller is one of them.
        rings_until: when ringing ends.
        hidden_from: participants who have blocked the caller: for them the call does not exist.
        ended_by: None where the system ended it.
        meeting_id, meeting: Chime's id, and its meeting object as JSON text; both or neither.
        meeting_announced_at: when a request for a meeting was last announced: from then on a meeting may exist
            although `meeting_id` is None.
        due_at: when the sweep should examine the call; None once it is over and nothing is left to do.
    """

    session_id: str
    version: int
    status: CallStatus
    call_type: CallType
    media_type: MediaType
    initiated_by: str
    owner_id: str
    participants: Mapping[str, Participant]
    created_at: int
    rings_until: int
    conversation_id: str | None = None
    hidden_from: frozenset[str] = frozenset()
    started_at: int | None = None
    ended_at: int | None = None
    ended_by: str | None = None
    end_reason: EndReason | None = None
    meeting_id: str | None = None
    meeting: str | None = None
    meeting_announced_at: int | None = None
    due_at: int | None = None

    @property
    def is_live(self) -> bool:
        """Whether the call rings or is answered, and is not over."""
        return self.status in LIVE

    @property
    def duration(self) -> int | None:
        """Return the whole seconds from the first answer to the end; None before the end, and without an answer."""
        if self.started_at is None or self.ended_at is None:
            return None
        return max(0, self.ended_at - self.started_at) // 1000

    def is_visible_to(self, user_id: str) -> bool:
        """Return whether a user is a participant who may know of the call."""
        return user_id in self.participants and user_id not in self.hidden_from

    def with_status(self, *statuses: ParticipantStatus) -> tuple[str, ...]:
        """Return the participants who have one of some statuses, in the order of their ids."""
        return tuple(sorted(user_id for user_id, each in self.participants.items() if each.status in statuses))

    def locked_users(self) -> frozenset[str]:
        """Return the users whose locks the call holds: while it is live, all who are called or in it."""
        if not self.is_live:
            return frozenset()
        return frozenset(self.with_status(*_LOCKED)) - self.hidden_from
