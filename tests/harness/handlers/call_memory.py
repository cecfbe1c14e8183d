"""The store of calls in memory, with the real one's conditions: a transition happens whole or not at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import RLock

from msgspec.structs import replace

from handlers.core.calls.ports import CallWrite, CallWriteResult, CallWriteStatus
from handlers.core.calls.state import CallState
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.shared.timestamps import to_iso


@dataclass
class MemoryCalls:
    """Calls, locks, lists and outbox (`handlers.core.calls.ports.Calls`): a transition happens whole or not at all."""

    calls: dict[str, CallState] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    lists: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    outbox: dict[str, OutboxRecord] = field(default_factory=dict)
    counts: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    history: list[CallWrite] = field(default_factory=list)
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

    def commit(self, transition: CallWrite) -> CallWriteResult:
        """Store a transition, if everything it rests on still holds."""
        with self.lock:
            after, stored = transition.after, self.calls.get(transition.after.session_id)
            if (stored.version if stored else None) != (transition.before.version if transition.before else None):
                return CallWriteResult(verdict=CallWriteStatus.CONFLICT)
            allowed = {user_id: {None, after.session_id, over} for user_id, over in transition.takes.items()}
            allowed |= {user_id: {None, after.session_id} for user_id in transition.frees}
            locked = {
                user_id: self.held[user_id] for user_id, own in allowed.items() if self.held.get(user_id) not in own
            }
            if locked:
                return CallWriteResult(verdict=CallWriteStatus.LOCKED, locked=locked)
            if not self._counted(transition):
                return CallWriteResult(verdict=CallWriteStatus.EXHAUSTED)
            self._store(transition)
            return CallWriteResult(verdict=CallWriteStatus.COMMITTED)

    def _counted(self, transition: CallWrite) -> bool:
        if transition.counted is None:
            return True
        user_id, rate = transition.counted
        window = user_id, rate.window(transition.now / 1000)
        if self.counts[window] >= rate.count:
            return False
        self.counts[window] += 1
        return True

    def _store(self, transition: CallWrite) -> None:
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
    """The outbox of the same store (`handlers.core.delivery.ports.Outbox`), as far as undivided events need it."""

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
