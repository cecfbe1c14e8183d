"""One conversation's messages as this client knows them: complete, in order, each handed out once.

Messages are numbered (`seq`) and so are their edits and deletions (`change`). Events bring both in any order, twice or
never; history answers are complete up to the `latestSeq` and `latestChange` they state. The log hands out a message
only when everything before it has been handed out, and says what is missing (`gap`). No input, output or clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from client.state.updates import HistoryReset, MessageAdded, MessageChanged
from contract.models import Message
from contract.responses import HistoryPage

Change = MessageAdded | MessageChanged | HistoryReset


@dataclass(frozen=True)
class Gap:
    """What to ask history for: everything after message `after_seq` and after change `after_change`."""

    after_seq: int
    after_change: int


@dataclass(frozen=True)
class _Known:
    """How a message is as of a change number; a deletion may be known before its message is."""

    change: int
    message: Message | None
    deleted_at: str | None = None


class ConversationLog:
    """The messages of one conversation.

    Args:
        conversation_id: whose log this is.
        seq: number up to which messages count as handed out already.
        change: number up to which edits and deletions are known.
        latest_seq, latest_change: greatest numbers that are known to exist; messages up to this `latest_seq` are
            taken from history only, since they may have been edited before this client began to listen.
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
        self._known: dict[str, _Known] = {}
        self._ahead: dict[int, tuple[Message, str | None]] = {}
        self._changes_ahead: set[int] = set()
        self.generation = 0
        """How often the log began anew; a page of history belongs to the generation in which it was asked for."""

    @property
    def messages(self) -> list[Message]:
        """The loaded messages, oldest first."""
        return [self._messages[id] for id in self._order]

    @property
    def latest_seq(self) -> int:
        """The greatest message number that is known to exist."""
        return self._latest_seq

    @property
    def gap(self) -> Gap | None:
        """What is missing, or None while nothing is known to be."""
        if self._latest_seq > self.seq or self._latest_change > self.change:
            return Gap(self.seq, self.change)
        return None

    def message(self, message_id: str) -> Message | None:
        """Return a loaded message."""
        return self._messages.get(message_id)

    def note(self, latest_seq: int, latest_change: int) -> None:
        """Take notice that messages and changes up to these numbers exist."""
        self._latest_seq = max(self._latest_seq, latest_seq)
        self._latest_change = max(self._latest_change, latest_change)

    def sent(self, message: Message, temp_id: str | None = None) -> list[Change]:
        """Take a message from an event or from the answer to a send."""
        if message.seq is None or message.seq <= self.seq:
            return []
        self.note(message.seq, 0)
        if message.seq <= self._history_until:
            return []
        self._ahead.setdefault(message.seq, (message, temp_id))
        return self._drain()

    def changed(self, change: int, message: Message) -> list[Change]:
        """Take an edit, or a deletion with the message as it is now."""
        self.note(message.seq or 0, change)
        self._seen(change)
        return self._apply(message.messageId, _Known(change, message))

    def deleted(self, change: int, message_id: str, seq: int | None, deleted_at: str) -> list[Change]:
        """Take a deletion of which only the numbers are known."""
        self.note(seq or 0, change)
        self._seen(change)
        return self._apply(message_id, _Known(change, None, deleted_at))

    def filled(self, gap: Gap, page: HistoryPage) -> list[Change]:
        """Take history's answer to a gap.

        Args:
            gap: what was asked for.
            page: the answer; complete up to its `latestSeq` and `latestChange` unless it says `reload`.

        Raises:
            ValueError: the answer says `reload` (see `restart`) or is for a gap that this log never had.
        """
        if page.reload:
            raise ValueError("the gap cannot be filled; restart from the newest page")
        if gap.after_seq > self.seq or gap.after_change > self.change:
            raise ValueError("an answer to somebody else's gap")
        self.note(page.latestSeq, page.latestChange)
        out: list[Change] = []
        for message in sorted(page.messages, key=_number):
            out += self._take(message, page)
        # Numbers without a message are hidden from this user: complete means complete for them.
        self._reach(page.latestSeq)
        for message in page.changed:
            out += self._apply(message.messageId, _Known(page.latestChange, message))
        self._reach_change(page.latestChange)
        return out + self._drain()

    def restart(self, page: HistoryPage) -> list[Change]:
        """Drop everything and begin anew from the newest page; messages handed out before are not handed out again."""
        newest = sorted((message for message in page.messages if message.seq is not None), key=_number)
        after, first = self.seq, newest[0].seq if newest else None
        self.generation += 1
        self._order.clear()
        self._messages.clear()
        self.note(page.latestSeq, page.latestChange)
        self._load(page.messages, page.latestChange, front=False)
        out: list[Change] = [HistoryReset(self.conversation_id, after, first or page.latestSeq + 1)]
        out += [self._added(self._messages[m.messageId]) for m in newest if after < _number(m) <= page.latestSeq]
        for message in newest:
            if _number(message) > page.latestSeq:
                self._ahead.setdefault(_number(message), (message, None))
                self._forget(message.messageId)
        self._reach(page.latestSeq)
        self._reach_change(page.latestChange)
        return out + self._drain()

    def older(self, page: HistoryPage, generation: int) -> list[Message]:
        """Put a page of older history before what is loaded.

        Args:
            page: newest first, as history answers; adjacent to the oldest loaded message, or overlapping.
            generation: the log's when the page was asked for; a page of an earlier one would leave a hole.

        Returns:
            Its messages that were not loaded yet, oldest first. They are not handed out: they were read on demand.
        """
        if generation != self.generation:
            return []
        wanted = [m for m in page.messages if m.messageId not in self._messages and _number(m) <= self.seq]
        self._load(wanted, page.latestChange, front=True)
        return [self._messages[m.messageId] for m in reversed(wanted)]

    # How a message gets in

    def _take(self, message: Message, page: HistoryPage) -> list[Change]:
        if message.seq is None or message.seq <= self.seq:
            return []
        if message.seq > page.latestSeq:
            self._ahead.setdefault(message.seq, (message, None))
            return []
        arrived = self._ahead.pop(message.seq, None)
        self._reach(message.seq)
        return [self._deliver(message, page.latestChange, arrived[1] if arrived else None)]

    def _drain(self) -> list[Change]:
        out: list[Change] = []
        while (next_one := self._ahead.pop(self.seq + 1, None)) is not None:
            self.seq += 1
            out.append(self._deliver(next_one[0], 0, next_one[1]))
        return out

    def _deliver(self, message: Message, version: int, temp_id: str | None) -> MessageAdded:
        self._load([message], version, front=False)
        return self._added(self._messages[message.messageId], temp_id)

    def _added(self, message: Message, temp_id: str | None = None) -> MessageAdded:
        return MessageAdded(self.conversation_id, message, temp_id)

    def _load(self, messages: Iterable[Message], version: int, *, front: bool) -> None:
        """Keep messages as of change `version`, unless something newer is known of one; newest first where `front`."""
        for message in messages if front else sorted(messages, key=lambda m: (_number(m), m.timestamp)):
            known = self._known.get(message.messageId)
            if known is None or known.change <= version:
                self._known[message.messageId] = _Known(version, message)
            self._messages[message.messageId] = self._current(message)
            if front:
                self._order.insert(0, message.messageId)
            else:
                self._order.append(message.messageId)

    def _current(self, message: Message) -> Message:
        known = self._known[message.messageId]
        if known.message is not None:
            return known.message
        return _tombstone(message)

    def _forget(self, message_id: str) -> None:
        if self._messages.pop(message_id, None) is not None:
            self._order.remove(message_id)

    # How an edit or deletion gets in

    def _apply(self, message_id: str, news: _Known) -> list[Change]:
        known = self._known.get(message_id)
        if known is not None and known.change >= news.change:
            return []
        self._known[message_id] = news
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

    # How far the log is complete

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


def _number(message: Message) -> int:
    """Return a message's number; messages of the old application have none and come before all others."""
    return message.seq or 0


def _tombstone(message: Message) -> Message:
    return msgspec.structs.replace(
        message, deleted=True, content=None, mediaUrl=None, fileName=None, fileSize=None, duration=None
    )
