"""Reads history: pages of messages, or all messages and changes that a client missed (promise P4: never a part).

The sequence number is read first, the messages after it, so that every message up to that number is stored when the
messages are read: in a group, it is the number below the first pending reservation (`numbering`). A query may still see
only a part of a transaction (Amazon DynamoDB: isolation levels for TransactWriteItems). Therefore the sequence numbers
are checked for gaps, and read again if there is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from contract.limits import GAP_CHANGES_MAX, GAP_MESSAGES_MAX, HIDDEN_MESSAGES_EXAMINED, HISTORY_PAGE_MAX
from contract.models import Message
from contract.requests import History
from contract.responses import HistoryPage
from handlers.core.messages import lookup
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.history_cursor import Position, position
from handlers.core.messages.numbering import SettledNumbers
from handlers.core.messages.ports import ConversationReader, HistoryStore
from handlers.core.messages.rules import StoredMessage
from handlers.core.shared.errors import UnavailableError
from handlers.core.shared.ports import Clock
from handlers.core.shared.retry import attempts
from handlers.core.shared.sizes import fitting
from handlers.core.shared.timing import stage

_READS = 4
"""Most reads of messages with a gap: a transaction in progress ends within milliseconds."""


class MessageHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Reads history.

    Args:
        fanout_limit: in a larger conversation `readBy` stays empty.
    """

    conversations: ConversationReader
    numbers: SettledNumbers
    store: HistoryStore
    clock: Clock
    fanout_limit: int

    def read(self, user_id: str, conversation_id: str, request: History) -> HistoryPage:
        """Return a page, newest first, or what a client missed, oldest first.

        Raises:
            InvalidRequestError: parameters contradict each other, or a date or cursor is malformed.
            NotFoundError: no such conversation.
            ForbiddenError: the user is not a participant.
            UnavailableError: the newest messages are being written just now.
        """
        start = position(conversation_id, request)
        with stage("read"):
            state = self.numbers.of(lookup.conversation(self.conversations, conversation_id, user_id))
        with stage("messages"):
            if request.afterSeq is None and request.afterChange is None:
                return self._page(state, user_id, start, request.limit)
            return self._gap(state, user_id, request)

    def _page(self, state: ConversationState, user_id: str, start: Position | None, limit: int) -> HistoryPage:
        """Return a page of visible messages; hidden messages are skipped.

        It has fewer than `limit` where it is the last, where so many are hidden, and where more would not fit one
        response.
        """
        before = _earlier(start.before if start else None, state.newest_before)
        visible: list[StoredMessage] = []
        latest = state.latest_seq
        top = latest if start is None else 0
        more = True
        examined, size = 0, limit + 1
        while more and len(visible) <= limit and examined < HIDDEN_MESSAGES_EXAMINED:
            rows = self._newest(state, before, size, top)
            if before is None and rows and rows[0].message.seq is not None:
                latest = max(latest, rows[0].message.seq)
            visible += [row for row in rows if row.visible_to(user_id)]
            more = len(rows) == size
            examined, size = examined + len(rows), HISTORY_PAGE_MAX + 1
            before, top = _below(rows, top) if rows else (before, 0)
        messages = self._with_readers(state, visible[:limit])
        messages = messages[: fitting(messages)]
        end = messages[-1].timestamp if len(messages) < len(visible) else before if more else None
        cursor = Position(state.conversation_id, end).cursor() if end is not None else None
        return HistoryPage(
            conversationId=state.conversation_id,
            messages=messages,
            latestSeq=latest,
            latestChange=state.latest_change,
            nextCursor=cursor,
        )

    def _newest(self, state: ConversationState, before: str | None, limit: int, top: int) -> Sequence[StoredMessage]:
        """Read messages, newest first, and again while there is a gap in their sequence numbers.

        Args:
            before: only messages older than this ISO date; None for the newest.
            top: the least sequence number that the first message must have; 0 where that is not known.
        """
        for _ in attempts(self.clock, _READS):
            rows = self.store.newest(state.conversation_id, before, limit)
            if _gap_free(rows, top, limit):
                return rows
        raise UnavailableError("the newest messages are being written just now; try again")

    def _gap(self, state: ConversationState, user_id: str, request: History) -> HistoryPage:
        missed = self._missed(state, user_id, request.afterSeq, request.beforeSeq)
        changed = self._changed(state, user_id, request.afterChange)
        known = missed is not None and changed is not None
        messages = self._with_readers(state, [*(missed or ()), *(changed or ())]) if known else []
        known = known and fitting(messages) == len(messages)
        count = len(missed or ())
        return HistoryPage(
            conversationId=state.conversation_id,
            messages=messages[:count] if known else [],
            latestSeq=state.latest_seq,
            latestChange=state.latest_change,
            changed=messages[count:] if known else [],
            reload=not known,
        )

    def _missed(
        self, state: ConversationState, user_id: str, after: int | None, before: int | None
    ) -> list[StoredMessage] | None:
        """Return the messages between two sequence numbers, oldest first; None where they do not fit one response."""
        if after is None:
            return []
        width = state.latest_seq - after
        if width < 0 or width > GAP_MESSAGES_MAX:
            return None
        if width == 0:
            return []
        end = min(before or state.latest_seq + 1, state.latest_seq + 1)
        rows = self._down_to(state, after + 1)
        return [row for row in reversed(rows) if after < (row.message.seq or 0) < end and row.visible_to(user_id)]

    def _down_to(self, state: ConversationState, seq: int) -> list[StoredMessage]:
        """Read from the newest message down to a sequence number; includes messages that arrive during the read."""
        rows: list[StoredMessage] = []
        before = state.newest_before
        top = state.latest_seq
        while top >= seq:
            rows += self._newest(state, before, top - seq + 1, top)
            before, top = _below(rows, top)
        return rows

    def _changed(self, state: ConversationState, user_id: str, after: int | None) -> list[StoredMessage] | None:
        """Return the messages changed after a change number, in their present state; None where a change is missing."""
        if after is None or after == state.latest_change:
            return []
        width = state.latest_change - after
        if width < 0 or width > GAP_CHANGES_MAX:
            return None
        changes = self.store.changes(state.conversation_id, after, width)
        if [number for number, _ in changes] != list(range(after + 1, state.latest_change + 1)):
            return None
        timestamps = sorted({timestamp for _, timestamp in changes if timestamp})
        found = self.store.messages_at(state.conversation_id, timestamps)
        visible = [row for row in found if row.visible_to(user_id)]
        return sorted(visible, key=lambda row: row.message.timestamp)

    def _with_readers(self, state: ConversationState, rows: Sequence[StoredMessage]) -> list[Message]:
        """Return messages with the participants who have read them.

        A read mark counts for hidden messages, too: otherwise the sender would see, after the end of a block, which
        messages were hidden.
        """
        if not rows or len(state.participants) > self.fanout_limit:
            return [row.message for row in rows]
        marks = {**self.store.read_marks(state.conversation_id, state.participants), **state.hidden_marks}
        return [msgspec.structs.replace(row.message, readBy=_readers(row, marks)) for row in rows]


def _readers(row: StoredMessage, marks: Mapping[str, int]) -> list[str]:
    """Return the participants besides the sender whose read mark is at the message or beyond."""
    seq = row.message.seq
    if seq is None:
        return []
    return [user_id for user_id, mark in marks.items() if mark >= seq and user_id != row.message.senderId]


def _earlier(first: str | None, second: str | None) -> str | None:
    return min(filter(None, (first, second)), default=None)


def _below(rows: Sequence[StoredMessage], top: int) -> tuple[str, int]:
    """Return the start of the next read: the last message's date, and the sequence number expected next (0: none).

    Messages without a number between others are those of the old server that the bridge is about to number.
    """
    numbers = [row.message.seq for row in rows if row.message.seq is not None]
    return rows[-1].message.timestamp, (numbers[-1] - 1 if numbers else top)


def _gap_free(rows: Sequence[StoredMessage], top: int, limit: int) -> bool:
    """Return whether messages, newest first, have consecutive sequence numbers and start at `top` or above.

    Messages of the old application have no sequence number. They are older than all messages that have one, except
    those that the bridge is about to number: a page of nothing else does not say what is below it.
    """
    numbers = [row.message.seq for row in rows if row.message.seq is not None]
    if not numbers and top and len(rows) == limit:
        return True
    if (numbers[0] if numbers else 0) < top:
        return False
    if numbers and numbers != list(range(numbers[0], numbers[0] - len(numbers), -1)):
        return False
    return not (numbers and len(numbers) == len(rows) < limit and numbers[-1] > 1)
