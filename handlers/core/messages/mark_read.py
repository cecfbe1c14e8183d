"""Moves read marks: one sequence number per participant, which only increases."""

from __future__ import annotations

from functools import partial

import msgspec

from contract import channels, events
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
    ReadMarkStore,
)
from handlers.core.shared import concurrency
from handlers.core.shared.errors import InvalidRequestError, UnavailableError
from handlers.core.shared.ports import Clock, Ids
from handlers.core.shared.retry import attempts
from handlers.core.shared.timestamps import to_iso
from handlers.core.shared.timing import stage

_UNREAD = ReadMark(last_read_seq=0, has_hidden=False)


class ReadMarker(msgspec.Struct, frozen=True, kw_only=True):
    """Moves participants' read marks forward.

    Args:
        fanout_limit: in a larger conversation the event is published only to the reader's own channel.
    """

    conversations: ConversationReader
    messages: MessageFinder
    store: ReadMarkStore
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
            with stage("store"):
                record = self._store(conversation, user_id, requested)
            if record is not None:
                self.dispatcher.dispatch(record)
        with stage("count"):
            unread = self._unread(conversation, user_id, last_read, mark.has_hidden)
        return ReadDone(conversationId=conversation.conversation_id, lastReadSeq=last_read, unreadCount=unread)

    def _requested(self, user_id: str, request: MarkRead) -> int:
        if request.messageId is None:
            return request.seq or 0
        conversation_id, message_id = request.conversationId, request.messageId
        found = lookup.message(self.messages, message_id, conversation_id, user_id, "messageId")
        return found.message.seq or 0

    def _store(self, conversation: ConversationState, user_id: str, seq: int) -> OutboxRecord | None:
        """Store read mark and event; None where a concurrent request has moved the mark at least as far.

        Raises:
            NotFoundError, ForbiddenError: the user was removed since the conversation was read.
        """
        record = self._record(conversation, user_id, seq)
        for _ in attempts(self.clock):
            status = self.store.advance(conversation, user_id, seq, record)
            if status is MessageWriteStatus.STORED:
                return record
            if status is MessageWriteStatus.DUPLICATE:
                return None
            if status is MessageWriteStatus.CONFLICT:
                lookup.conversation(self.conversations, conversation.conversation_id, user_id)
        raise UnavailableError("too many changes at once; nothing was stored; try again")

    def _record(self, conversation: ConversationState, user_id: str, seq: int) -> OutboxRecord:
        now = self.clock.now()
        event = events.MessageRead(
            eventId=self.ids.new(),
            timestamp=to_iso(now),
            data=events.MessageReadData(
                conversationId=conversation.conversation_id, readBy=user_id, readSeq=seq, readAt=to_iso(now)
            ),
        )
        only_reader = conversation.blocked_by or len(conversation.participants) > self.fanout_limit
        recipients = (user_id,) if only_reader else conversation.participants
        return outbox_record(channels.CHATS, event, recipients, now=now, fanout_limit=self.fanout_limit)

    def _unread(self, conversation: ConversationState, user_id: str, last_read: int, has_hidden: bool) -> int:
        if has_hidden and last_read < conversation.latest_seq:
            return self.store.count_visible(conversation.conversation_id, user_id, last_read)
        return max(0, conversation.latest_seq - last_read)
