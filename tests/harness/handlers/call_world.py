"""Everything outside of the rules of calls, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.harness.handlers.call_doubles import (
    CountedIds,
    MemoryChime,
    Notes,
    Parcels,
    People,
    Screens,
    StillClock,
    Timers,
)
from tests.harness.handlers.call_memory import MemoryCalls


@dataclass
class World:
    """Everything outside of the rules."""

    clock: StillClock = field(default_factory=StillClock)
    ids: CountedIds = field(default_factory=CountedIds)
    calls: MemoryCalls = field(default_factory=MemoryCalls)
    chime: MemoryChime = field(default_factory=MemoryChime)
    people: People = field(default_factory=People)
    queue: Parcels = field(default_factory=Parcels)
    notes: Notes = field(default_factory=Notes)

    def __post_init__(self) -> None:
        """Make what needs the clock."""
        self.timers = Timers(self.clock)
        self.screens = Screens(self.clock)
