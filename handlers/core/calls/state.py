"""A call as it stands: what is stored, and what follows from it alone."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from contract.calls.models import CallStatus, CallType, EndReason, MediaType, ParticipantStatus

LIVE: frozenset[CallStatus] = frozenset({"RINGING", "ACTIVE"})
_HELD: frozenset[ParticipantStatus] = frozenset({"RINGING", "JOINED"})


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """One participant.

    Args:
        name: full name at the time of the call.
        rung: was told of the call; False for who was busy with another call, and for who must not learn of this one.
        joined_at, left_at: milliseconds since the epoch, of the last time.
        device_id: the device that called or answered, where it said so.
        attendee_id: Chime's id of the participant in the meeting, once there is one.
    """

    status: ParticipantStatus
    name: str
    rung: bool = True
    joined_at: int | None = None
    left_at: int | None = None
    device_id: str | None = None
    attendee_id: str | None = None


class CallState(msgspec.Struct, frozen=True, kw_only=True):
    """A call. Times are milliseconds since the epoch.

    Args:
        version: grows by one with each transition.
        owner_id: who may end a group call; always somebody who has joined, as long as the call goes on.
        participants: by user id; the caller is one of them.
        rings_until: when ringing ends.
        hidden_from: participants who have blocked the caller: to them there is no such call.
        ended_by: None where nobody ended it.
        meeting_id, meeting: Chime's id, and its meeting object as JSON text; both or neither.
        asked_at: when a meeting was last announced: a meeting may exist although `meeting_id` is None.
        due_at: when the sweep should look at the call; None once it is over and nothing is left to do.
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
    asked_at: int | None = None
    due_at: int | None = None

    @property
    def is_live(self) -> bool:
        """Whether the call rings or goes on."""
        return self.status in LIVE

    @property
    def duration(self) -> int | None:
        """Return the whole seconds from the first answer to the end; None before the end, and without an answer."""
        if self.started_at is None or self.ended_at is None:
            return None
        return max(0, self.ended_at - self.started_at) // 1000

    def takes_part(self, user_id: str) -> bool:
        """Return whether a user is a participant and may know it."""
        return user_id in self.participants and user_id not in self.hidden_from

    def having(self, *statuses: ParticipantStatus) -> tuple[str, ...]:
        """Return the participants who have one of some statuses, in the order of their ids."""
        return tuple(sorted(user_id for user_id, each in self.participants.items() if each.status in statuses))

    def locked(self) -> frozenset[str]:
        """Return whom this call keeps from another call: whoever is called or in it, as long as it goes on."""
        if not self.is_live:
            return frozenset()
        return frozenset(self.having(*_HELD)) - self.hidden_from
