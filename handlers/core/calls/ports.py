"""The ports of calls: the store, Chime's meetings, the ring timers and the log.

As for every port: a store's write either happened (it returns), did not happen (`UnavailableError`, or a status that
names the cause), or its outcome is unknown (`OutcomeUnknownError`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum, auto
from typing import Protocol

import msgspec

from contract.calls.models import Attendee
from contract.limits import RateLimit
from handlers.core.calls.state import CallState
from handlers.core.delivery.ports import OutboxRecord


class CallWrite(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a call, stored in one transaction or not at all.

    The store writes `after` whole, on condition that the call still has the version of `before` (that it does not
    exist, where `before` is None); takes and frees the users' locks; and puts the outbox records.

    Args:
        take_locks: user id to the session whose lock may be taken over, because that call is over; None: the lock must
            be free. A lock that this call already holds counts as free.
        free_locks: users whose lock is deleted, if it is this call's. A missing lock is ignored; a lock of another call
            makes the write `LOCKED`.
        listed_for: users in whose list of calls a new call appears.
        rate_limit: a user and the limit that a new call counts against.
        member: a user and a group, of which the user must be a member when the change is stored.
    """

    before: CallState | None
    after: CallState
    take_locks: Mapping[str, str | None] = msgspec.field(default_factory=dict)
    free_locks: frozenset[str] = frozenset()
    listed_for: tuple[str, ...] = ()
    outbox: tuple[OutboxRecord, ...] = ()
    rate_limit: tuple[str, RateLimit] | None = None
    member: tuple[str, str] | None = None
    now: int


class CallWriteStatus(Enum):
    """The outcome of a write; with every status but COMMITTED nothing was stored."""

    COMMITTED = auto()
    CONFLICT = auto()
    """The call differs from `before`, or another transaction was in progress: read it and decide again."""
    NOT_MEMBER = auto()
    """The user is not a member of the group (any more)."""
    LOCKED = auto()
    """At least one user's lock belongs to another call."""
    EXHAUSTED = auto()
    """The rate limit is used up."""


class CallWriteResult(msgspec.Struct, frozen=True, kw_only=True):
    """The status of a write; `locked` maps the users whose locks prevented it to the sessions that hold them."""

    status: CallWriteStatus
    locked: Mapping[str, str] = msgspec.field(default_factory=dict)


class CallStore(Protocol):
    """The calls, the users' lists of calls, and the users' locks. Every read is consistent, except `due`."""

    def read(self, session_id: str) -> CallState | None:
        """Read one call."""
        ...

    def read_many(self, session_ids: Iterable[str]) -> Mapping[str, CallState]:
        """Read many calls at once; those that do not exist are left out."""
        ...

    def locks(self, user_ids: Iterable[str]) -> Mapping[str, str]:
        """Return, for each of some users who has a lock, the session that holds it."""
        ...

    def commit(self, write: CallWrite) -> CallWriteResult:
        """Store a change.

        Where several conditions fail, CONFLICT takes precedence over NOT_MEMBER over LOCKED over EXHAUSTED.
        """
        ...

    def page(self, user_id: str, before: str | None, limit: int) -> list[tuple[str, str]]:
        """Return (callKey, session id) of a user's calls, newest first.

        Args:
            before: callKey; only calls with a smaller one.
            limit: most to return; fewer mean that there are no more.
        """
        ...

    def due(self, now: int) -> Iterable[tuple[str, int]]:
        """Return (session id, due_at) of every call that the sweep should examine, oldest first."""
        ...

    def reschedule(self, session_id: str, due_at: int, next_due_at: int | None) -> bool:
        """Change when the sweep examines a call next; None removes the call from the sweep's index.

        Nothing else of the call changes, not even its version.

        Returns:
            False where the call's due_at is no longer the given one.
        """
        ...


class MeetingGoneError(Exception):
    """Chime has no such meeting (any more)."""


class MeetingsFailedError(Exception):
    """Chime refused or did not answer, after bounded retries; the request may or may not have taken effect."""


class MeetingsBusyError(MeetingsFailedError):
    """Chime serves the same request of another process at this moment, or throttles: a later attempt succeeds."""


class Meeting(msgspec.Struct, frozen=True):
    """A meeting: Chime's id, and its meeting object as JSON text, unchanged (it has no token)."""

    meeting_id: str
    document: str


class Meetings(Protocol):
    """Chime's meetings. Every call is bounded in time and safe to repeat; `MeetingsFailedError` where Chime fails.

    A meeting's ClientRequestToken and ExternalMeetingId are the session's id, an attendee's ExternalUserId is the
    user's: a repeated request returns the same one.
    """

    def create(self, session_id: str) -> Meeting:
        """Create the session's meeting, or return the existing one.

        Raises:
            MeetingsBusyError: the same meeting is being created at this moment, or Chime throttles.
        """
        ...

    def attendees(self, meeting_id: str, user_ids: Iterable[str]) -> Mapping[str, Attendee]:
        """Create the users' attendees, or return the existing ones; the result has every user.

        Raises:
            MeetingGoneError: there is no such meeting.
            MeetingsBusyError: Chime throttles.
            MeetingsFailedError: Chime refuses one or all of them, or does not answer.
        """
        ...

    def delete_attendee(self, meeting_id: str, attendee_id: str) -> None:
        """Remove an attendee from the meeting; a missing one is ignored."""
        ...

    def delete(self, meeting_id: str) -> None:
        """End a meeting for all attendees; a missing one is ignored."""
        ...

    def exists(self, meeting_id: str) -> bool:
        """Return whether Chime still has the meeting."""
        ...


class RingTimers(Protocol):
    """The timers that start the ring timeout of a call."""

    def start(self, session_id: str, delay_seconds: int) -> bool:
        """Start a timer of at most 900 seconds.

        Returns:
            False where no timer was started; the sweep then ends the ringing, a little later.
        """
        ...


class CallLogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One transition of a call, for the log and its metrics.

    Args:
        rule: name of the rule (`contract.calls.transitions`).
        outcome: outcome of the rule, or `delivered`: INCOMING_CALL was published to every user who is called.
        ring_milliseconds: from the call's start to its first answer or to the end of its ringing.
        duration_seconds: from the first answer to the end.
        is_canary: the call is one of the canary's, which the metrics of calls leave out.
    """

    rule: str
    outcome: str
    session_id: str
    status: str
    ring_milliseconds: int | None = None
    duration_seconds: int | None = None
    is_canary: bool = False


class CallLog(Protocol):
    """The log of transitions."""

    def write(self, entry: CallLogEntry) -> None:
        """Write one entry."""
        ...
