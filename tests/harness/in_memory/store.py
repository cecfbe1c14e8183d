"""The store of calls and the outbox in memory, with the conditions of the DynamoDB store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import RLock

from msgspec.structs import replace

from handlers.core.calls.ports import CallStore, CallWrite, CallWriteResult, CallWriteStatus
from handlers.core.calls.state import CallState
from handlers.core.delivery.ports import Audiences, DirectMessages, Outbox, OutboxRecord
from handlers.core.shared.timestamps import to_iso


@dataclass
class InMemoryCallStore(CallStore):
    """Calls, locks, lists and outbox records; a write is stored whole or not at all.

    Args:
        lock_holders: user id to the session that holds the user's lock.
        lists: user id to the user's calls, by callKey.
        rate_counts: by user id and window.
        history: every write that was stored.
        scheduled: every (due date, session id) that a call ever had: the index lags, so that it may still show them.
        is_member: whether a user is a member of a group.
    """

    calls: dict[str, CallState] = field(default_factory=dict)
    lock_holders: dict[str, str] = field(default_factory=dict)
    lists: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    outbox: dict[str, OutboxRecord] = field(default_factory=dict)
    rate_counts: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    history: list[CallWrite] = field(default_factory=list)
    scheduled: set[tuple[int, str]] = field(default_factory=set)
    mutex: RLock = field(default_factory=RLock)
    is_member: Callable[[str, str], bool] = lambda user_id, conversation_id: True

    def read(self, session_id: str) -> CallState | None:
        return self.calls.get(session_id)

    def read_many(self, session_ids: Iterable[str]) -> Mapping[str, CallState]:
        return {session_id: self.calls[session_id] for session_id in session_ids if session_id in self.calls}

    def locks(self, user_ids: Iterable[str]) -> Mapping[str, str]:
        return {user_id: self.lock_holders[user_id] for user_id in user_ids if user_id in self.lock_holders}

    def commit(self, write: CallWrite) -> CallWriteResult:
        with self.mutex:
            after, stored = write.after, self.calls.get(write.after.session_id)
            if (stored.version if stored else None) != (write.before.version if write.before else None):
                return CallWriteResult(status=CallWriteStatus.CONFLICT)
            if write.member is not None and not self.is_member(*write.member):
                return CallWriteResult(status=CallWriteStatus.NOT_MEMBER)
            allowed = {user_id: {None, after.session_id, over} for user_id, over in write.take_locks.items()}
            allowed |= {user_id: {None, after.session_id} for user_id in write.free_locks}
            locked = {
                user_id: self.lock_holders[user_id]
                for user_id, holders in allowed.items()
                if self.lock_holders.get(user_id) not in holders
            }
            if locked:
                return CallWriteResult(status=CallWriteStatus.LOCKED, locked=locked)
            if not self._count(write):
                return CallWriteResult(status=CallWriteStatus.EXHAUSTED)
            self._store(write)
            return CallWriteResult(status=CallWriteStatus.COMMITTED)

    def _count(self, write: CallWrite) -> bool:
        if write.rate_limit is None:
            return True
        user_id, rate = write.rate_limit
        window = user_id, rate.window(write.now / 1000)
        if self.rate_counts[window] >= rate.count:
            return False
        self.rate_counts[window] += 1
        return True

    def _store(self, write: CallWrite) -> None:
        after = write.after
        self._schedule(after)
        for user_id in write.take_locks:
            self.lock_holders[user_id] = after.session_id
        for user_id in write.free_locks:
            self.lock_holders.pop(user_id, None)
        for user_id in write.listed_for:
            self.lists[user_id][f"{to_iso(after.created_at)}#{after.session_id}"] = after.session_id
        for record in write.outbox:
            assert record.event_id not in self.outbox
            self.outbox[record.event_id] = record
        self.history.append(write)

    def page(self, user_id: str, before: str | None, limit: int) -> list[tuple[str, str]]:
        keys = [(key, session_id) for key, session_id in self.lists[user_id].items() if before is None or key < before]
        return sorted(keys, reverse=True)[:limit]

    def due(self, now: int) -> Iterable[tuple[str, int]]:
        """Yield what the index shows in the worst case: the present due dates, and each earlier one."""
        return [(session_id, due_at) for due_at, session_id in sorted(self.scheduled) if due_at <= now]

    def reschedule(self, session_id: str, due_at: int, next_due_at: int | None) -> bool:
        with self.mutex:
            call = self.calls[session_id]
            if call.due_at != due_at:
                return False
            self._schedule(replace(call, due_at=next_due_at))
            return True

    def _schedule(self, call: CallState) -> None:
        self.calls[call.session_id] = call
        if call.due_at is not None:
            self.scheduled.add((call.due_at, call.session_id))


class NoDirectMessages(DirectMessages):
    """Direct messages, of which no test of calls has any."""

    def complete(self, event_id: str) -> None:
        """Fail."""
        raise AssertionError(event_id)


class NoAudiences(Audiences):
    """Audiences that no test of calls asks for: events of calls have recipients."""

    def participants(self, conversation_id: str) -> Sequence[str]:
        """Fail."""
        raise AssertionError(conversation_id)


@dataclass
class InMemoryOutbox(Outbox):
    """The outbox of the same store; events of calls are never divided into slices."""

    store: InMemoryCallStore

    def get(self, event_id: str) -> OutboxRecord | None:
        return self.store.outbox.get(event_id)

    def delete(self, event_id: str) -> None:
        self.store.outbox.pop(event_id, None)

    def keep_only(self, event_id: str, recipients: Sequence[str]) -> None:
        record = self.store.outbox.get(event_id)
        if record is not None:
            self.store.outbox[event_id] = replace(record, recipients=tuple(recipients))

    def finish_slice(self, event_id: str, number: int) -> None:
        """Fail, because events of calls have no slices."""
        raise AssertionError(event_id)

    def keep_in_slice(self, event_id: str, number: int, recipients: Sequence[str]) -> None:
        """Fail, because events of calls have no slices."""
        raise AssertionError(event_id)

    def due(self, now: int) -> Iterable[tuple[str, int]]:
        return [(record.event_id, record.due_at) for record in self.store.outbox.values() if record.due_at <= now]

    def claim(self, event_id: str, due_at: int, next_due_at: int) -> OutboxRecord | None:
        """Fail, because these tests do not run the sweep of the outbox."""
        raise AssertionError(event_id)

    def give_up(self, event_id: str) -> None:
        """Fail, because these tests do not run the sweep of the outbox."""
        raise AssertionError(event_id)
