"""Marking as read: one number per participant, which only grows."""

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
from handlers.core.messages.ports import MessageWriteStatus, ReadMark, ReadStore
from handlers.core.shared import concurrency
from handlers.core.shared.errors import InvalidRequestError, UnavailableError
from handlers.core.shared.ports import Clock, Ids
from handlers.core.shared.retry import attempts
from handlers.core.shared.timestamps import to_iso
from handlers.core.shared.timing import stage

_UNREAD = ReadMark(last_read_seq=0, has_hidden=False)


class ReadMarker(msgspec.Struct, frozen=True):
    """Moves participants' marks forward.

    Args:
        fanout_limit: in a larger conversation only the reader's own devices hear of it.
    """

    store: ReadStore
    dispatcher: Dispatcher
    clock: Clock
    ids: Ids
    fanout_limit: int

    def mark(self, user_id: str, request: MarkRead) -> ReadDone:
        """Mark everything up to a message as read; a mark that is there or beyond already stays.

        Raises:
            InvalidRequestError: neither `seq` nor `messageId`, or both.
            NotFoundError: no such conversation or message.
            ForbiddenError: the user is not a participant.
            UnavailableError: the same mark is being changed over and over; nothing was stored.
        """
        if (request.seq is None) == (request.messageId is None):
            raise InvalidRequestError("give either seq or messageId", field="seq")
        with stage("read"):
            membership = concurrency.start(partial(self.store.membership, user_id, request.conversationId))
            state = lookup.conversation(self.store, request.conversationId, user_id)
            wanted = min(self._wanted(user_id, request), state.latest_seq)
            before = membership.result() or _UNREAD
        read = before.last_read_seq
        if wanted > read:
            read = wanted
            with stage("store"):
                record = self._store(state, user_id, wanted)
            if record is not None:
                self.dispatcher.dispatch(record)
        with stage("count"):
            unread = self._unread(state, user_id, read, before)
        return ReadDone(conversationId=state.conversation_id, lastReadSeq=read, unreadCount=unread)

    def _wanted(self, user_id: str, request: MarkRead) -> int:
        if request.messageId is None:
            return request.seq or 0
        found = lookup.message(self.store, self.clock, request.messageId, request.conversationId, user_id, "messageId")
        return found.message.seq or 0

    def _store(self, state: ConversationState, user_id: str, seq: int) -> OutboxRecord | None:
        """Store mark and event; None where somebody else's request was faster and went as far."""
        record = self._record(state, user_id, seq)
        for _ in attempts(self.clock):
            verdict = self.store.mark(state, user_id, seq, record).verdict
            if verdict is MessageWriteStatus.STORED:
                return record
            if verdict is MessageWriteStatus.REPLAYED:
                return None
        raise UnavailableError("too many changes at once; nothing was stored; try again")

    def _record(self, state: ConversationState, user_id: str, seq: int) -> OutboxRecord:
        now = self.clock.now()
        event = events.MessageRead(
            eventId=self.ids.new(),
            timestamp=to_iso(now),
            data=events.MessageReadData(
                conversationId=state.conversation_id, readBy=user_id, readSeq=seq, readAt=to_iso(now)
            ),
        )
        alone = state.blocked_by or len(state.participants) > self.fanout_limit
        recipients = (user_id,) if alone else state.participants
        return outbox_record(channels.CHATS, event, recipients, now=now, fanout_limit=self.fanout_limit)

    def _unread(self, state: ConversationState, user_id: str, read: int, membership: ReadMark) -> int:
        if membership.has_hidden and read < state.latest_seq:
            return self.store.count_visible(state.conversation_id, user_id, read)
        return max(0, state.latest_seq - read)
