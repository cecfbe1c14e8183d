"""Moves read marks: one sequence number per participant, which only increases."""

from __future__ import annotations

from functools import partial
from typing import Final

import msgspec
from msgspec.structs import replace

from contract import channels, events
from contract.limits import READ_RATE, RECEIPT_WINDOW_SECONDS
from contract.requests import MarkRead
from contract.responses import ReadDone
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.outbox import outbox_record
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.messages import lookup
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import (
    ConversationReader,
    MessageFinder,
    MessageWriteStatus,
    ReadMark,
    ReadMarkMove,
    ReadMarkStore,
)
from handlers.core.receipts.collector import ReceiptCollector
from handlers.core.shared import concurrency
from handlers.core.shared.errors import InvalidRequestError, TooManyRequestsError, UnavailableError
from handlers.core.shared.ports import Clock, Ids
from handlers.core.shared.retry import attempts
from handlers.core.shared.timestamps import to_iso
from handlers.core.shared.timing import stage

_UNREAD = ReadMark(last_read_seq=0, has_hidden=False)


_PUBLISHED_TOGETHER_MS: Final = 2 * RECEIPT_WINDOW_SECONDS * 1000
"""Moves of one member within this time may be in one event: its start is the mark before the first of them."""


class ReadMarker(msgspec.Struct, frozen=True, kw_only=True):
    """Moves participants' read marks forward.

    In a direct conversation the event is stored with the mark and published at once. In a group the mark alone is
    stored, which takes one write unit, and the marks of some seconds are published together.

    Args:
        receipts: collects the marks of groups.
    """

    conversations: ConversationReader
    messages: MessageFinder
    store: ReadMarkStore
    receipts: ReceiptCollector
    dispatcher: Dispatcher
    clock: Clock
    ids: Ids
    fanout_limit: int

    def mark(self, user_id: str, request: MarkRead) -> ReadDone:
        """Mark all messages up to one as read; a read mark that is at or beyond it stays.

        Raises:
            InvalidRequestError: neither `seq` nor `messageId`, or both.
            NotFoundError: no such conversation or message.
            ForbiddenError: the user is not a participant.
            TooManyRequestsError: the mark has moved too often in this conversation.
            UnavailableError: too many changes of the same read mark at once; nothing was stored.
        """
        if (request.seq is None) == (request.messageId is None):
            raise InvalidRequestError("seq and messageId exclude each other; give one of them", field="seq")
        with stage("read"):
            reading = concurrency.start(partial(self.store.read_mark, user_id, request.conversationId))
            conversation = lookup.conversation(self.conversations, request.conversationId, user_id)
            requested = min(self._requested(user_id, request), conversation.latest_seq)
            mark = reading.result() or _UNREAD
        last_read = mark.last_read_seq
        if requested > last_read:
            last_read = requested
            self._advance(conversation, user_id, mark, requested)
        with stage("count"):
            unread = self._unread(conversation, user_id, last_read, mark.has_hidden)
        return ReadDone(conversationId=conversation.conversation_id, lastReadSeq=last_read, unreadCount=unread)

    def _requested(self, user_id: str, request: MarkRead) -> int:
        if request.messageId is None:
            return request.seq or 0
        conversation_id, message_id = request.conversationId, request.messageId
        found = lookup.message(self.messages, self.clock, message_id, conversation_id, user_id, "messageId")
        return found.message.seq or 0

    def _advance(self, conversation: ConversationState, user_id: str, mark: ReadMark, seq: int) -> None:
        now = self.clock.now()
        move = ReadMarkMove(seq=seq, read_at=now, count=_counted(mark, now))
        if conversation.is_group:
            if now - mark.read_at >= _PUBLISHED_TOGETHER_MS:
                move = replace(move, from_seq=mark.last_read_seq)
        else:
            move = replace(move, record=self._record(conversation, user_id, seq, now))
        with stage("store"):
            stored = self._store(conversation, user_id, move)
        if not stored:
            return
        if move.record is not None:
            self.dispatcher.dispatch(move.record)
        else:
            with stage("collect"):
                self.receipts.collect(conversation, user_id, now)

    def _store(self, conversation: ConversationState, user_id: str, move: ReadMarkMove) -> bool:
        """Store the move; return False where a concurrent request has moved the mark at least as far.

        Raises:
            NotFoundError, ForbiddenError: the user was removed since the conversation was read.
        """
        for _ in attempts(self.clock):
            status = self.store.advance(conversation, user_id, move)
            if status in (MessageWriteStatus.STORED, MessageWriteStatus.DUPLICATE):
                return status is MessageWriteStatus.STORED
            if status is MessageWriteStatus.CONFLICT:
                lookup.conversation(self.conversations, conversation.conversation_id, user_id)
        raise UnavailableError("too many changes at once; nothing was stored; try again")

    def _record(self, conversation: ConversationState, user_id: str, seq: int, now: int) -> OutboxRecord:
        event = events.MessageRead(
            eventId=self.ids.new(),
            timestamp=to_iso(now),
            data=events.MessageReadData(
                conversationId=conversation.conversation_id, readBy=user_id, readSeq=seq, readAt=to_iso(now)
            ),
        )
        recipients = (user_id,) if conversation.blocked_by else conversation.participants
        return outbox_record(channels.CHATS, event, recipients, now=now, fanout_limit=self.fanout_limit)

    def _unread(self, conversation: ConversationState, user_id: str, last_read: int, has_hidden: bool) -> int:
        if has_hidden and last_read < conversation.latest_seq:
            return self.store.count_visible(conversation.conversation_id, user_id, last_read)
        return max(0, conversation.latest_seq - last_read)


def _counted(mark: ReadMark, now: int) -> int:
    """Return the number of moves in the present window of the rate limit, with one more.

    The count is in the membership, which the move writes anyway. Concurrent moves of one mark may count as one.

    Raises:
        TooManyRequestsError: the limit is used up.
    """
    same_window = READ_RATE.window(mark.read_at / 1000) == READ_RATE.window(now / 1000)
    count = mark.count + 1 if same_window else 1
    if count > READ_RATE.count:
        raise TooManyRequestsError("the read mark moves too often", retry_after=READ_RATE.retry_after(now / 1000))
    return count
