"""All services that calls need, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.harness.fakes import FakeClock
from tests.harness.in_memory.fakes import (
    FakeChime,
    FakeDirectory,
    FakeQueue,
    FakeRingTimers,
    RecordingCallLog,
    SequentialIds,
    TimedPublisher,
)
from tests.harness.in_memory.store import InMemoryCallStore


@dataclass
class InMemoryServices:
    """The services that all users of a test share."""

    clock: FakeClock = field(default_factory=lambda: FakeClock(pauses_take_time=False))
    ids: SequentialIds = field(default_factory=SequentialIds)
    store: InMemoryCallStore = field(default_factory=InMemoryCallStore)
    chime: FakeChime = field(default_factory=FakeChime)
    directory: FakeDirectory = field(default_factory=FakeDirectory)
    queue: FakeQueue = field(default_factory=FakeQueue)
    log: RecordingCallLog = field(default_factory=RecordingCallLog)

    def __post_init__(self) -> None:
        """Create the services that need the clock, and let the store know the groups."""
        self.store.is_member = self._is_member
        self.timers = FakeRingTimers(self.clock)
        self.publisher = TimedPublisher(self.clock)

    def _is_member(self, user_id: str, conversation_id: str) -> bool:
        group = self.directory.groups.get(conversation_id)
        return group is not None and user_id in group.participants
