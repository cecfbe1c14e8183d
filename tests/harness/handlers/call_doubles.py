"""The world around calls in memory: Chime, timers, people, and screens that remember."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract.calls.models import Attendee
from contract.models import Conversation
from handlers.core.calls.ports import CallLogEntry, Meeting, MeetingGoneError, MeetingsFailedError
from handlers.core.conversations.ports import StoredConversation
from handlers.core.delivery.ports import DeliveryTask


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
class MemoryChime:
    """Chime's meetings (`handlers.core.calls.ports.Meetings`): tokens find what they made, as long as it is there.

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
    """Ring timers (`handlers.core.calls.ports.RingTimers`) that wait to be fired by the test."""

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

    waiting: list[DeliveryTask] = field(default_factory=list)

    def send(self, parcels: Sequence[DeliveryTask], delay_seconds: int = 0) -> Sequence[DeliveryTask]:
        """Take parcels."""
        self.waiting += parcels
        return []


@dataclass
class Notes:
    """The journal, kept."""

    notes: list[CallLogEntry] = field(default_factory=list)

    def note(self, note: CallLogEntry) -> None:
        """Keep a note."""
        self.notes.append(note)

    def outcomes(self) -> list[str]:
        """Return what was noted."""
        return [note.outcome for note in self.notes]


@dataclass
class People:
    """Profiles, blocks and groups (`UserDirectory`, `BlockReader` and `GroupsOfCalls`)."""

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
