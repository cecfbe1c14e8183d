"""Fakes of the ports of calls: ids, Chime, ring timers, publisher, queue, log, profiles and groups."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from contract.calls.models import Attendee
from contract.models import Conversation
from handlers.core.calls.invitations import CallGroups
from handlers.core.calls.ports import (
    CallLog,
    CallLogEntry,
    Meeting,
    MeetingGoneError,
    Meetings,
    MeetingsBusyError,
    MeetingsFailedError,
    RingTimers,
)
from handlers.core.conversations.ports import BlockReader, StoredConversation, UserDirectory
from handlers.core.delivery.ports import DeliveryQueue, Publisher, QueueTask
from handlers.core.shared.ports import Ids
from tests.harness.fakes import FakeClock


@dataclass
class SequentialIds(Ids):
    """Ids in order, so that every run is the same."""

    count: int = 0

    def new(self) -> str:
        self.count += 1
        return f"id-{self.count:06}"


@dataclass
class FakeChime(Meetings):
    """Chime's meetings: a repeated request returns the same meeting or attendee, while it exists.

    A second `create` of a session while the first runs is refused, as by Chime (CreateMeeting: ConflictException).

    Args:
        meetings: meeting id to its session, of the meetings that exist.
        attendees_of: meeting id to its attendees by user id.
        created: the ids of all meetings ever created.
        token_owners: every join token ever created, to its user.
        failing: names of the operations that fail.
        create_seconds: how long `create` takes.
    """

    meetings: dict[str, str] = field(default_factory=dict)
    attendees_of: dict[str, dict[str, Attendee]] = field(default_factory=lambda: defaultdict(dict))
    created: list[str] = field(default_factory=list)
    token_owners: dict[str, str] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    create_seconds: float = 0
    _creating: set[str] = field(default_factory=set)
    _mutex: Lock = field(default_factory=Lock)

    def create(self, session_id: str) -> Meeting:
        """Create or find the session's meeting; after it was deleted, create another one (the worst case)."""
        self._check("create")
        with self._mutex:
            if session_id in self._creating:
                raise MeetingsBusyError(session_id)
            self._creating.add(session_id)
        try:
            if self.create_seconds:
                time.sleep(self.create_seconds)
            return self._create(session_id)
        finally:
            self._creating.discard(session_id)

    def _create(self, session_id: str) -> Meeting:
        existing = [meeting_id for meeting_id, session in self.meetings.items() if session == session_id]
        meeting_id = existing[0] if existing else f"meeting-{len(self.created) + 1}"
        if not existing:
            self.created.append(meeting_id)
            self.meetings[meeting_id] = session_id
        document = {"MeetingId": meeting_id, "ExternalMeetingId": session_id, "MediaRegion": "us-east-1"}
        return Meeting(meeting_id, json.dumps(document))

    def attendees(self, meeting_id: str, user_ids: Iterable[str]) -> Mapping[str, Attendee]:
        self._check("attendees")
        if meeting_id not in self.meetings:
            raise MeetingGoneError(meeting_id)
        attendees = self.attendees_of[meeting_id]
        for user_id in user_ids:
            if user_id not in attendees:
                number = len(self.token_owners) + 1
                token = f"token-{number}-end"
                self.token_owners[token] = user_id
                attendees[user_id] = Attendee(AttendeeId=f"attendee-{number}", ExternalUserId=user_id, JoinToken=token)
        return {user_id: attendees[user_id] for user_id in user_ids}

    def delete_attendee(self, meeting_id: str, attendee_id: str) -> None:
        self._check("delete_attendee")
        attendees = self.attendees_of[meeting_id]
        self.attendees_of[meeting_id] = {
            user_id: attendee for user_id, attendee in attendees.items() if attendee.AttendeeId != attendee_id
        }

    def delete(self, meeting_id: str) -> None:
        self._check("delete")
        self.meetings.pop(meeting_id, None)

    def exists(self, meeting_id: str) -> bool:
        self._check("exists")
        return meeting_id in self.meetings

    def _check(self, operation: str) -> None:
        if operation in self.failing:
            raise MeetingsFailedError(operation)


@dataclass
class FakeRingTimers(RingTimers):
    """Ring timers that a test fires.

    Args:
        waiting: (time, session id) of every timer; the time is in milliseconds since the epoch.
        failing: whether no timer can be started.
    """

    clock: FakeClock
    waiting: list[tuple[int, str]] = field(default_factory=list)
    failing: bool = False

    def start(self, session_id: str, delay_seconds: int) -> bool:
        if self.failing:
            return False
        self.waiting.append((self.clock.now() + delay_seconds * 1000, session_id))
        return True


@dataclass(frozen=True)
class Published:
    """One event that was published to a channel; `at` is in milliseconds since the epoch."""

    at: int
    channel: str
    event: dict[str, Any]


@dataclass
class TimedPublisher(Publisher):
    """A publisher that records what was published to each channel, and when.

    Args:
        failing: channels whose publish fails.
    """

    clock: FakeClock
    published: list[Published] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)

    def publish(self, channels: Sequence[str], event: str) -> Collection[str]:
        working = [channel for channel in channels if channel not in self.failing]
        self.published += [Published(self.clock.now(), channel, json.loads(event)) for channel in working]
        return [channel for channel in channels if channel in self.failing]

    def events(self, user_id: str, namespace: str = "users") -> list[tuple[str, dict[str, Any]]]:
        """Return (type, data) of the events of a channel, each event once."""
        distinct: dict[str, tuple[str, dict[str, Any]]] = {}
        for each in self.published:
            if each.channel == f"/{namespace}/{user_id}":
                distinct.setdefault(each.event["eventId"], (each.event["type"], each.event["data"]))
        return list(distinct.values())

    def types(self, user_id: str, namespace: str = "users") -> list[str]:
        """Return the types of the events of a channel, each event once."""
        return [kind for kind, _ in self.events(user_id, namespace)]


@dataclass
class FakeQueue(DeliveryQueue):
    """A delivery queue that keeps its tasks."""

    waiting: list[QueueTask] = field(default_factory=list)

    def send(self, tasks: Sequence[QueueTask], delay_seconds: int = 0) -> Sequence[QueueTask]:
        self.waiting += tasks
        return []


@dataclass
class RecordingCallLog(CallLog):
    """A call log that keeps its entries."""

    entries: list[CallLogEntry] = field(default_factory=list)

    def write(self, entry: CallLogEntry) -> None:
        self.entries.append(entry)

    def outcomes(self) -> list[str]:
        """Return the outcomes of all entries."""
        return [entry.outcome for entry in self.entries]


@dataclass
class FakeDirectory(UserDirectory, BlockReader, CallGroups):
    """Profiles, blocks and groups.

    Args:
        full_names: by user id.
        blocks: (blocker, blocked).
    """

    full_names: dict[str, str] = field(default_factory=dict)
    blocks: set[tuple[str, str]] = field(default_factory=set)
    groups: dict[str, Conversation] = field(default_factory=dict)

    def names(self, user_ids: Collection[str]) -> Mapping[str, str]:
        return {user_id: self.full_names[user_id] for user_id in user_ids if user_id in self.full_names}

    def users(self, user_ids: Collection[str]) -> Mapping[str, Any]:
        """Fail, because calls do not read whole profiles."""
        raise AssertionError(user_ids)

    def blockers(self, user_id: str, others: Collection[str]) -> Collection[str]:
        return {other for other in others if (other, user_id) in self.blocks}

    def between(self, first: str, second: str) -> Mapping[tuple[str, str], bool]:
        return {pair: pair in self.blocks for pair in ((first, second), (second, first))}

    def get(self, conversation_id: str) -> StoredConversation | None:
        group = self.groups.get(conversation_id)
        return StoredConversation(group) if group else None
