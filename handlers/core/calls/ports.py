"""What the rules of calls need from the store, from Chime and from the clock that ends ringing.

As for every port: a store's write either happened (it returns), did not happen (`UnavailableError`, or a verdict that
says why), or nobody knows (`OutcomeUnknownError`).
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
    """One step of a call, to be stored at once, in one transaction, or not at all.

    The store writes `after` whole, on condition that the call still has the version of `before` (that there is none,
    where `before` is None); takes and frees the users' locks; and puts the outbox records.

    Args:
        takes: user id to the session whose lock may be taken over, because that call is over; None: whose lock must
            be free. A lock that this very call holds already counts as free.
        frees: users whose lock goes, if it is this call's. One that is absent is fine; another call's is `LOCKED`.
        listed: users in whose list of calls a new call appears.
        counted: who uses up one of which limit, in the same transaction; of a new call only.
    """

    before: CallState | None
    after: CallState
    takes: Mapping[str, str | None] = msgspec.field(default_factory=dict)
    frees: frozenset[str] = frozenset()
    listed: tuple[str, ...] = ()
    outbox: tuple[OutboxRecord, ...] = ()
    counted: tuple[str, RateLimit] | None = None
    now: int


class CallWriteStatus(Enum):
    """What became of a transition; all but COMMITTED mean that nothing was stored."""

    COMMITTED = auto()
    CONFLICT = auto()
    """The call is no longer as `before`, or another transaction was under way: read it again and decide again."""
    LOCKED = auto()
    """Somebody's lock belongs to another call."""
    EXHAUSTED = auto()
    """The limit is used up."""


class CallWriteResult(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict; `locked` maps the users whose locks stood in the way to the sessions that hold them."""

    verdict: CallWriteStatus
    locked: Mapping[str, str] = msgspec.field(default_factory=dict)


class CallStore(Protocol):
    """The calls, the users' lists of them, and who is in one. Every read is consistent, except `due`."""

    def read(self, session_id: str) -> CallState | None:
        """Read one call."""
        ...

    def read_many(self, session_ids: Iterable[str]) -> Mapping[str, CallState]:
        """Read many calls at once; those that do not exist are left out."""
        ...

    def locks(self, user_ids: Iterable[str]) -> Mapping[str, str]:
        """Return, for each of some users who has a lock, the session that holds it."""
        ...

    def commit(self, transition: CallWrite) -> CallWriteResult:
        """Store a transition. Where several things stand in the way, CONFLICT comes before LOCKED before EXHAUSTED."""
        ...

    def page(self, user_id: str, before: str | None, limit: int) -> list[tuple[str, str]]:
        """Return (callKey, session id) of a user's calls, newest first.

        Args:
            before: callKey; only calls with a smaller one.
            limit: most to return; fewer mean that there are no more.
        """
        ...

    def due(self, now: int) -> Iterable[tuple[str, int]]:
        """Return (session id, due_at) of every call that the sweep should look at, oldest first."""
        ...

    def reschedule(self, session_id: str, due_at: int, next_due_at: int | None) -> bool:
        """Move the sweep's next look at a call on, or take the call off its list (None).

        Nothing else of the call changes, not even its version.

        Returns:
            False where the call's due_at is no longer the given one.
        """
        ...


class MeetingGoneError(Exception):
    """Chime has no such meeting (any more)."""


class MeetingsFailedError(Exception):
    """Chime refused, or did not answer, after bounded retries; it may or may not have done what it was asked."""


class Meeting(msgspec.Struct, frozen=True):
    """A meeting: Chime's id, and its meeting object as JSON text, untouched (it holds no token)."""

    meeting_id: str
    document: str


class Meetings(Protocol):
    """Chime's meetings. Every call is bounded in time and safe to repeat, and raises `MeetingsFailedError` if in vain.

    A meeting's ClientRequestToken and ExternalMeetingId are the session's id, an attendee's ExternalUserId is the
    user's: asking again finds the same one.
    """

    def create(self, session_id: str) -> Meeting:
        """Make the session's meeting, or find it."""
        ...

    def attendees(self, meeting_id: str, user_ids: Iterable[str]) -> Mapping[str, Attendee]:
        """Make the users' attendees, or find them; every user is in the answer.

        Raises:
            MeetingGoneError: there is no such meeting.
        """
        ...

    def delete_attendee(self, meeting_id: str, attendee_id: str) -> None:
        """Take an attendee out of the meeting; one that is gone is fine."""
        ...

    def delete(self, meeting_id: str) -> None:
        """End a meeting for everybody; one that is gone is fine."""
        ...

    def exists(self, meeting_id: str) -> bool:
        """Return whether Chime still has the meeting."""
        ...


class RingTimers(Protocol):
    """Wakes the ring timeout of a call."""

    def start(self, session_id: str, delay_seconds: int) -> bool:
        """Ask to be woken after a delay of at most 900 seconds.

        Returns:
            False where nobody took it; the sweep then ends the ringing, a little later.
        """
        ...


class CallLogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a call, for the log and its metrics.

    Args:
        rule: name of the transition (`handlers.core.calls.state_machine`).
        outcome: initiated, delivered, accepted, joined, rejected, cancelled, missed, left, ended or failed.
        ring_milliseconds: from the call to its first answer or to the end of its ringing.
        duration_seconds: from the first answer to the end.
    """

    rule: str
    outcome: str
    session_id: str
    status: str
    ring_milliseconds: int | None = None
    duration_seconds: int | None = None


class CallLog(Protocol):
    """Writes down what happens to calls."""

    def note(self, note: CallLogEntry) -> None:
        """Write one step down."""
        ...
