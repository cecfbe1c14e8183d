"""The log of one conversation: reports every message once, in the order of `seq`, and every later change of it.

Messages have gap-free sequence numbers (`seq`), edits and deletions gap-free change numbers (`change`). Events arrive
in any order, more than once or never; a history page is complete up to its `latestSeq` and `latestChange`. The log
reports a message only after all before it, and names what is missing (`gap`). No input, output or clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from client.state.updates import HistoryReset, MessageAdded, MessageChanged
from contract.models import Message
from contract.responses import HistoryPage

LogChange = MessageAdded | MessageChanged | HistoryReset


@dataclass(frozen=True)
class Gap:
    """What to read from history: the messages after `after_seq` and the changes after `after_change`."""

    after_seq: int
    after_change: int


@dataclass(frozen=True)
class _Version:
    """The state of a message as of a change number; a deletion may be known before its message."""

    change: int
    message: Message | None
    deleted_at: str | None = None


class ConversationLog:
    """The messages of one conversation.

    Args:
        conversation_id: the conversation.
        seq: sequence number up to which messages count as reported.
        change: change number up to which edits and deletions are known.
        latest_seq, latest_change: greatest numbers that are known to exist. Messages up to this `latest_seq` are
            taken from history only, since they may have been edited before this client subscribed.
    """

    def __init__(
        self, conversation_id: str, *, seq: int, change: int, latest_seq: int = 0, latest_change: int = 0
    ) -> None:
        self.conversation_id = conversation_id
        self.seq = seq
        self.change = change
        self._latest_seq = max(seq, latest_seq)
        self._latest_change = max(change, latest_change)
        self._history_until = self._latest_seq
        self._order: list[str] = []
        self._messages: dict[str, Message] = {}
        self._versions: dict[str, _Version] = {}
        self._ahead: dict[int, tuple[Message, str | None]] = {}
        self._changes_ahead: set[int] = set()
        self.generation = 0
        """How often the log was restarted; a history page belongs to the generation in which it was requested."""

    @property
    def messages(self) -> list[Message]:
        """The loaded messages, oldest first."""
        return [self._messages[id] for id in self._order]

    @property
    def latest_seq(self) -> int:
        """The greatest message number that is known to exist."""
        return self._latest_seq

    @property
    def latest_change(self) -> int:
        """The greatest change number that is known to exist."""
        return self._latest_change

    @property
    def gap(self) -> Gap | None:
        """What is missing, or None while nothing is known to be missing."""
        if self._latest_seq > self.seq or self._latest_change > self.change:
            return Gap(self.seq, self.change)
        return None

    def message(self, message_id: str) -> Message | None:
        """Return a loaded message."""
        return self._messages.get(message_id)

    def note_latest(self, latest_seq: int, latest_change: int) -> None:
        """Record that messages and changes up to these numbers exist."""
        self._latest_seq = max(self._latest_seq, latest_seq)
        self._latest_change = max(self._latest_change, latest_change)

    def add_message(self, message: Message, temp_id: str | None = None) -> list[LogChange]:
        """Take a message from an event or from the response to a send."""
        if message.seq is None or message.seq <= self.seq:
            return []
        self.note_latest(message.seq, 0)
        if message.seq <= self._history_until:
            return []
        self._ahead.setdefault(message.seq, (message, temp_id))
        return self._drain()

    def apply_change(self, change: int, message: Message) -> list[LogChange]:
        """Take an edit or deletion, with the message's present state."""
        self.note_latest(message.seq or 0, change)
        self._seen(change)
        return self._apply(message.messageId, _Version(change, message))

    def apply_deletion(self, change: int, message_id: str, seq: int | None, deleted_at: str) -> list[LogChange]:
        """Take a deletion without the message's content."""
        self.note_latest(seq or 0, change)
        self._seen(change)
        return self._apply(message_id, _Version(change, None, deleted_at))

    def fill_gap(self, gap: Gap, page: HistoryPage) -> list[LogChange]:
        """Take the history page that was requested for a gap.

        Args:
            gap: the gap as it was when the page was requested.
            page: complete up to its `latestSeq` and `latestChange` unless `reload` is set.

        Raises:
            ValueError: `reload` is set (see `restart`), or this log never had the gap.
        """
        if page.reload:
            raise ValueError("the gap cannot be filled; restart from the newest page")
        if gap.after_seq > self.seq or gap.after_change > self.change:
            raise ValueError(f"this log never had the gap {gap}")
        self.note_latest(page.latestSeq, page.latestChange)
        out: list[LogChange] = []
        for message in sorted(page.messages, key=_seq_of):
            out += self._take(message, page)
        # Numbers without a message in the page are hidden from this user, so they are no gap.
        self._reach(page.latestSeq)
        for message in page.changed:
            out += self._apply(message.messageId, _Version(page.latestChange, message))
        self._reach_change(page.latestChange)
        return out + self._drain()

    def restart(self, page: HistoryPage) -> list[LogChange]:
        """Drop the loaded messages and continue from the newest page; a message is not reported a second time."""
        newest = sorted((message for message in page.messages if message.seq is not None), key=_seq_of)
        after, first = self.seq, newest[0].seq if newest else None
        self.generation += 1
        self._order.clear()
        self._messages.clear()
        self.note_latest(page.latestSeq, page.latestChange)
        self._load(page.messages, page.latestChange, front=False)
        out: list[LogChange] = [HistoryReset(self.conversation_id, after, first or page.latestSeq + 1)]
        out += [self._added(self._messages[m.messageId]) for m in newest if after < _seq_of(m) <= page.latestSeq]
        for message in newest:
            if _seq_of(message) > page.latestSeq:
                self._ahead.setdefault(_seq_of(message), (message, None))
                self._unload(message.messageId)
        self._reach(page.latestSeq)
        self._reach_change(page.latestChange)
        return out + self._drain()

    def add_older_page(self, page: HistoryPage, generation: int) -> list[Message]:
        """Put a page of older history before the loaded messages.

        Args:
            page: newest first, as the API responds; adjacent to the oldest loaded message, or overlapping.
            generation: the log's when the page was requested; a page of an earlier generation would leave a gap.

        Returns:
            Its messages that were not loaded yet, oldest first. They are not reported: they were read on demand.
        """
        if generation != self.generation:
            return []
        wanted = [m for m in page.messages if m.messageId not in self._messages and _seq_of(m) <= self.seq]
        self._load(wanted, page.latestChange, front=True)
        return [self._messages[m.messageId] for m in reversed(wanted)]

    # Adding messages

    def _take(self, message: Message, page: HistoryPage) -> list[LogChange]:
        if message.seq is None or message.seq <= self.seq:
            return []
        if message.seq > page.latestSeq:
            self._ahead.setdefault(message.seq, (message, None))
            return []
        arrived = self._ahead.pop(message.seq, None)
        self._reach(message.seq)
        return [self._report(message, page.latestChange, arrived[1] if arrived else None)]

    def _drain(self) -> list[LogChange]:
        out: list[LogChange] = []
        while (following := self._ahead.pop(self.seq + 1, None)) is not None:
            self.seq += 1
            out.append(self._report(following[0], 0, following[1]))
        return out

    def _report(self, message: Message, version: int, temp_id: str | None) -> MessageAdded:
        self._unload(message.messageId)  # loaded before the bridge to the old application has numbered it
        self._load([message], version, front=False)
        return self._added(self._messages[message.messageId], temp_id)

    def _added(self, message: Message, temp_id: str | None = None) -> MessageAdded:
        return MessageAdded(self.conversation_id, message, temp_id)

    def _load(self, messages: Iterable[Message], version: int, *, front: bool) -> None:
        """Store messages as of change `version`, unless a newer state is known; newest first where `front`."""
        for message in messages if front else sorted(messages, key=lambda m: (_seq_of(m), m.timestamp)):
            known = self._versions.get(message.messageId)
            if known is None or known.change <= version:
                self._versions[message.messageId] = _Version(version, message)
            self._messages[message.messageId] = self._current(message)
            if front:
                self._order.insert(0, message.messageId)
            else:
                self._order.append(message.messageId)

    def _current(self, message: Message) -> Message:
        known = self._versions[message.messageId]
        if known.message is not None:
            return known.message
        return _tombstone(message)

    def _unload(self, message_id: str) -> None:
        if self._messages.pop(message_id, None) is not None:
            self._order.remove(message_id)

    # Applying edits and deletions

    def _apply(self, message_id: str, newer: _Version) -> list[LogChange]:
        known = self._versions.get(message_id)
        if known is not None and known.change >= newer.change:
            return []
        self._versions[message_id] = newer
        loaded = self._messages.get(message_id)
        if loaded is None:
            return []
        current = self._current(loaded)
        if current == loaded:
            return []
        self._messages[message_id] = current
        return [MessageChanged(self.conversation_id, current)]

    def _seen(self, change: int) -> None:
        if change > self.change:
            self._changes_ahead.add(change)
            self._reach_change(self.change)

    # Completeness

    def _reach(self, seq: int) -> None:
        self.seq = max(self.seq, seq)
        for passed in [number for number in self._ahead if number <= self.seq]:
            del self._ahead[passed]

    def _reach_change(self, change: int) -> None:
        self.change = max(self.change, change)
        self._changes_ahead = {number for number in self._changes_ahead if number > self.change}
        while self.change + 1 in self._changes_ahead:
            self.change += 1
            self._changes_ahead.remove(self.change)


def _seq_of(message: Message) -> int:
    """Return a message's sequence number; messages of the old application have none and sort before all others."""
    return message.seq or 0


def _tombstone(message: Message) -> Message:
    return msgspec.structs.replace(
        message, deleted=True, content=None, mediaUrl=None, fileName=None, fileSize=None, duration=None
    )
