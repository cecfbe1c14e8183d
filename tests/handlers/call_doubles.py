"""The world of calls in memory: a store with the real one's conditions, Chime, timers, and screens that remember."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from msgspec.structs import replace

from handlers.core.call_ports import (
    CallNote,
    Meeting,
    MeetingGoneError,
    MeetingsFailedError,
    Outcome,
    Transition,
    Verdict,
)
from handlers.core.call_state import CallState
from handlers.core.contract.call_models import Attendee
from handlers.core.contract.models import Conversation
from handlers.core.conversation_ports import StoredConversation
from handlers.core.instants import to_iso
from handlers.core.ports import OutboxRecord, Parcel


class StillClock:
    """A clock that moves only when told to; a pause takes no time, so that a run can be repeated exactly."""

    def __init__(self, now: int = 1_790_000_000_000) -> None:
        self._now = now

    def now(self) -> int:
        """Return the milliseconds since the epoch."""
        return self._now

    def pause(self, seconds: float) -> None:
        """Take no time."""

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self._now += int(seconds * 1000)


@dataclass
class CountedIds:
    """Ids in order, so that a run can be repeated exactly."""

    made: int = 0

    def new(self) -> str:
        """Return the next id."""
        self.made += 1
        return f"id-{self.made:06}"


@dataclass
class MemoryCalls:
    """Calls, locks, lists and outbox (`handlers.core.call_ports.Calls`): a transition happens whole or not at all."""

    calls: dict[str, CallState] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    lists: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    outbox: dict[str, OutboxRecord] = field(default_factory=dict)
    counts: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    history: list[Transition] = field(default_factory=list)
    lock: RLock = field(default_factory=RLock)

    def read(self, session_id: str) -> CallState | None:
        """Read one call."""
        return self.calls.get(session_id)

    def read_many(self, session_ids: Iterable[str]) -> Mapping[str, CallState]:
        """Read many calls."""
        return {session_id: self.calls[session_id] for session_id in session_ids if session_id in self.calls}

    def locks(self, user_ids: Iterable[str]) -> Mapping[str, str]:
        """Return who holds whose lock."""
        return {user_id: self.held[user_id] for user_id in user_ids if user_id in self.held}

    def commit(self, transition: Transition) -> Outcome:
        """Store a transition, if everything it rests on still holds."""
        with self.lock:
            after, stored = transition.after, self.calls.get(transition.after.session_id)
            if (stored.version if stored else None) != (transition.before.version if transition.before else None):
                return Outcome(verdict=Verdict.MOVED)
            allowed = {user_id: {None, after.session_id, over} for user_id, over in transition.takes.items()}
            allowed |= {user_id: {None, after.session_id} for user_id in transition.frees}
            locked = {
                user_id: self.held[user_id] for user_id, own in allowed.items() if self.held.get(user_id) not in own
            }
            if locked:
                return Outcome(verdict=Verdict.LOCKED, locked=locked)
            if not self._counted(transition):
                return Outcome(verdict=Verdict.EXHAUSTED)
            self._store(transition)
            return Outcome(verdict=Verdict.COMMITTED)

    def _counted(self, transition: Transition) -> bool:
        if transition.counted is None:
            return True
        user_id, rate = transition.counted
        window = user_id, rate.window(transition.now / 1000)
        if self.counts[window] >= rate.count:
            return False
        self.counts[window] += 1
        return True

    def _store(self, transition: Transition) -> None:
        after = transition.after
        self.calls[after.session_id] = after
        for user_id in transition.takes:
            self.held[user_id] = after.session_id
        for user_id in transition.frees:
            self.held.pop(user_id, None)
        for user_id in transition.listed:
            self.lists[user_id][f"{to_iso(after.created_at)}#{after.session_id}"] = after.session_id
        for record in transition.outbox:
            assert record.event_id not in self.outbox
            self.outbox[record.event_id] = record
        self.history.append(transition)

    def page(self, user_id: str, before: str | None, limit: int) -> list[tuple[str, str]]:
        """Return a user's calls, newest first."""
        found = [(key, value) for key, value in self.lists[user_id].items() if before is None or key < before]
        return sorted(found, reverse=True)[:limit]

    def due(self, now: int) -> Iterable[tuple[str, int]]:
        """Return what the sweep should look at."""
        found = [(each.due_at, each.session_id) for each in self.calls.values() if each.due_at is not None]
        return [(session_id, due_at) for due_at, session_id in sorted(found) if due_at <= now]

    def reschedule(self, session_id: str, due_at: int, next_due_at: int | None) -> bool:
        """Move the sweep's next look on."""
        with self.lock:
            call = self.calls[session_id]
            if call.due_at != due_at:
                return False
            self.calls[session_id] = replace(call, due_at=next_due_at)
            return True


@dataclass
class MemoryOutbox:
    """The outbox of the same store (`handlers.core.ports.Outbox`), as far as undivided events need it."""

    calls: MemoryCalls

    def get(self, event_id: str) -> OutboxRecord | None:
        """Read a record."""
        return self.calls.outbox.get(event_id)

    def delete(self, event_id: str) -> None:
        """Everybody has the event."""
        self.calls.outbox.pop(event_id, None)

    def keep_only(self, event_id: str, recipients: Sequence[str]) -> None:
        """Only these recipients are left."""
        record = self.calls.outbox.get(event_id)
        if record is not None:
            self.calls.outbox[event_id] = replace(record, recipients=tuple(recipients))

    def finish_slice(self, event_id: str, number: int) -> None:
        """No event of a call is divided."""
        raise AssertionError(event_id)

    def due(self, now: int) -> Iterable[tuple[str, int]]:
        """Return what is due."""
        return [(each.event_id, each.due_at) for each in self.calls.outbox.values() if each.due_at <= now]

    def claim(self, event_id: str, due_at: int, next_due_at: int) -> OutboxRecord | None:
        """Count one attempt."""
        raise AssertionError(event_id)

    def give_up(self, event_id: str) -> None:
        """Forget a record."""
        raise AssertionError(event_id)


@dataclass
class MemoryChime:
    """Chime's meetings (`handlers.core.call_ports.Meetings`): tokens find what they made, as long as it is there.

    Args:
        there: meeting id to its session.
        rooms: meeting id to its attendees by user id.
        made: every meeting ever made.
        tokens: every token ever made, to its owner.
        broken: operations that fail.
    """

    there: dict[str, str] = field(default_factory=dict)
    rooms: dict[str, dict[str, Attendee]] = field(default_factory=lambda: defaultdict(dict))
    made: list[str] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def create(self, session_id: str) -> Meeting:
        """Make the session's meeting, or find it; after it was deleted, make another one (the worst case)."""
        self._require("create")
        found = [meeting_id for meeting_id, session in self.there.items() if session == session_id]
        meeting_id = found[0] if found else f"meeting-{len(self.made) + 1}"
        if not found:
            self.made.append(meeting_id)
            self.there[meeting_id] = session_id
        document = {"MeetingId": meeting_id, "ExternalMeetingId": session_id, "MediaRegion": "us-east-1"}
        return Meeting(meeting_id, json.dumps(document))

    def attendees(self, meeting_id: str, user_ids: Iterable[str]) -> Mapping[str, Attendee]:
        """Make the users' attendees, or find them."""
        self._require("attendees")
        if meeting_id not in self.there:
            raise MeetingGoneError(meeting_id)
        room = self.rooms[meeting_id]
        for user_id in user_ids:
            if user_id not in room:
                number = len(self.tokens) + 1
                token = f"token-{number}-end"
                self.tokens[token] = user_id
                room[user_id] = Attendee(AttendeeId=f"attendee-{number}", ExternalUserId=user_id, JoinToken=token)
        return {user_id: room[user_id] for user_id in user_ids}

    def delete_attendee(self, meeting_id: str, attendee_id: str) -> None:
        """Take an attendee out."""
        self._require("delete_attendee")
        room = self.rooms[meeting_id]
        self.rooms[meeting_id] = {each: held for each, held in room.items() if held.AttendeeId != attendee_id}

    def delete(self, meeting_id: str) -> None:
        """End a meeting."""
        self._require("delete")
        self.there.pop(meeting_id, None)

    def exists(self, meeting_id: str) -> bool:
        """Return whether the meeting is there."""
        self._require("exists")
        return meeting_id in self.there

    def _require(self, operation: str) -> None:
        if operation in self.broken:
            raise MeetingsFailedError(operation)


@dataclass
class Timers:
    """Ring timers (`handlers.core.call_ports.RingTimers`) that wait to be fired by the test."""

    clock: StillClock
    waiting: list[tuple[int, str]] = field(default_factory=list)
    broken: bool = False

    def start(self, session_id: str, delay_seconds: int) -> bool:
        """Take a timer, unless broken."""
        if self.broken:
            return False
        self.waiting.append((self.clock.now() + delay_seconds * 1000, session_id))
        return True


@dataclass(frozen=True)
class Shown:
    """One event that reached a channel, and when."""

    at: int
    channel: str
    event: dict[str, Any]


@dataclass
class Screens:
    """A publisher that remembers what reached which channel, and when; `broken` channels take nothing."""

    clock: StillClock
    shown: list[Shown] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    def publish(self, channels: Sequence[str], event: str) -> Collection[str]:
        """Publish to all channels but the broken ones, which are returned."""
        taken = [channel for channel in channels if channel not in self.broken]
        self.shown += [Shown(self.clock.now(), channel, json.loads(event)) for channel in taken]
        return [channel for channel in channels if channel not in taken]

    def of(self, user_id: str, namespace: str = "users") -> list[tuple[str, dict[str, Any]]]:
        """Return (type, data) of what a channel got, each event once."""
        seen: dict[str, tuple[str, dict[str, Any]]] = {}
        for each in self.shown:
            if each.channel == f"/{namespace}/{user_id}":
                seen.setdefault(each.event["eventId"], (each.event["type"], each.event["data"]))
        return list(seen.values())

    def types(self, user_id: str, namespace: str = "users") -> list[str]:
        """Return the types of what a channel got, each event once."""
        return [kind for kind, _ in self.of(user_id, namespace)]


@dataclass
class Parcels:
    """The delivery queue, whose parcels wait for the test."""

    waiting: list[Parcel] = field(default_factory=list)

    def send(self, parcels: Sequence[Parcel], delay_seconds: int = 0) -> Sequence[Parcel]:
        """Take parcels."""
        self.waiting += parcels
        return []


@dataclass
class Notes:
    """The journal, kept."""

    notes: list[CallNote] = field(default_factory=list)

    def note(self, note: CallNote) -> None:
        """Keep a note."""
        self.notes.append(note)

    def outcomes(self) -> list[str]:
        """Return what was noted."""
        return [note.outcome for note in self.notes]


@dataclass
class People:
    """Profiles, blocks and groups (`Directory`, `BlockPairs` and `GroupsOfCalls`)."""

    known: dict[str, str] = field(default_factory=dict)
    blocked: set[tuple[str, str]] = field(default_factory=set)
    groups: dict[str, Conversation] = field(default_factory=dict)

    def names(self, user_ids: Collection[str]) -> Mapping[str, str]:
        """Return full names."""
        return {user_id: self.known[user_id] for user_id in user_ids if user_id in self.known}

    def users(self, user_ids: Collection[str]) -> Mapping[str, Any]:
        """No rule of calls reads whole profiles."""
        raise AssertionError(user_ids)

    def between(self, first: str, second: str) -> Mapping[tuple[str, str], bool]:
        """Return both directions."""
        return {pair: pair in self.blocked for pair in ((first, second), (second, first))}

    def get(self, conversation_id: str) -> StoredConversation | None:
        """Read a group."""
        group = self.groups.get(conversation_id)
        return StoredConversation(group) if group else None
