"""Sends a message: idempotent, gap-free sequence numbers, at-least-once delivery (promise P1)."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import Final

import msgspec

from contract.models import Message
from contract.requests import SendMessage
from contract.responses import Delivery, Sent
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.messages import lookup
from handlers.core.messages.conversation_cache import ConversationCache
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.message_writer import MessageWriter, Stored
from handlers.core.messages.new_message import SendIdentity
from handlers.core.messages.ports import ConversationReader, MessageFinder, MessageStore, NewMessage
from handlers.core.messages.rules import StoredMessage, check
from handlers.core.shared import concurrency
from handlers.core.shared.errors import ChatError, ForbiddenError, NotFoundError, OutcomeUnknownError
from handlers.core.shared.ports import Clock, Ids
from handlers.core.shared.timing import stage

_NO_DELIVERY: Final = Delivery(delivered=0, pending=0)
"""The delivery of a repeated send: the first send delivers the message."""


class MessageSender(msgspec.Struct, frozen=True, kw_only=True):
    """Sends messages.

    Args:
        cache: saves the read of a conversation that this process used before.
        writer: stores the messages.
    """

    conversations: ConversationReader
    cache: ConversationCache
    messages: MessageFinder
    store: MessageStore
    writer: MessageWriter
    dispatcher: Dispatcher
    clock: Clock
    ids: Ids

    def send(self, sender_id: str, request: SendMessage) -> Sent:
        """Store a message and deliver it; a repeated `tempId` returns the first result.

        Raises:
            InvalidRequestError: the fields do not fit the type.
            ForbiddenError: `senderId` is another user, or the sender is no participant or has blocked the other one.
            NotFoundError: no such conversation, or `replyTo` is not in it.
            TooManyRequestsError: the sender's rate limit is used up.
            UnavailableError: too many changes at once; nothing was stored.
        """
        if request.senderId is not None and request.senderId != sender_id:
            raise ForbiddenError("senderId must be your own user id", field="senderId")
        check(request)
        identity = SendIdentity(sender_id, self.ids.new(), self.ids.new())
        with stage("read"):
            counting = self.writer.count(sender_id)
            cached = self._cached(sender_id, request)
            unread = None if cached else self.writer.reserve_unread(sender_id, request.conversationId)
            conversation = self._read(sender_id, request, cached)
        try:
            with stage("store"):
                if conversation is None:
                    raise NotFoundError("no such conversation", field="conversationId")
                stored = self.writer.store(identity, request, conversation, counting, unread)
        except (ChatError, OutcomeUnknownError):
            before = self._find_by_temp_id(sender_id, request, conversation)
            if before is None:
                raise
            stored = before
        if isinstance(stored, StoredMessage):
            return _answer(stored.message, request, _NO_DELIVERY, duplicate=True)
        return _answer(stored.new.message, request, self._deliver(stored), duplicate=False)

    def _deliver(self, stored: Stored) -> Delivery:
        """Publish the event, and complete the message at the same time."""
        completing = self.writer.complete(stored)
        settling = concurrency.start(partial(self.writer.settle, stored, completing)) if stored.reservation else None
        delivery = self.dispatcher.dispatch(stored.new.record, completing[0] if completing else None)
        if settling is not None:
            settling.result()
        return _shown(stored.new, delivery)

    def _cached(self, sender_id: str, request: SendMessage) -> ConversationState | None:
        """Return the conversation from the cache, if it allows the send; otherwise it may be out of date."""
        cached = self.cache.get(request.conversationId)
        if cached is None or sender_id not in cached.participants or sender_id in cached.blocked_by:
            return None
        return cached

    def _read(self, sender_id: str, request: SendMessage, cached: ConversationState | None) -> ConversationState | None:
        """Return the conversation, and check `replyTo` at the same time."""
        reply: Future[StoredMessage] | None = None
        if request.replyTo is not None:
            reply = concurrency.start(partial(self._reply, sender_id, request.conversationId, request.replyTo))
        conversation = cached or self.conversations.read(request.conversationId)
        if reply is not None and conversation is not None and sender_id in conversation.participants:
            reply.result()
        return conversation

    def _reply(self, sender_id: str, conversation_id: str, message_id: str) -> StoredMessage:
        return lookup.message(self.messages, message_id, conversation_id, sender_id, "replyTo")

    def _find_by_temp_id(
        self, sender_id: str, request: SendMessage, conversation: ConversationState | None
    ) -> StoredMessage | None:
        if request.tempId is None or conversation is None:
            return None
        with stage("replay"):
            is_direct = not conversation.is_group
            return self.store.find_by_temp_id(sender_id, request.conversationId, request.tempId, is_direct=is_direct)


def _shown(new: NewMessage, delivery: Delivery) -> Delivery:
    """Return the delivery as the sender sees it: a participant from whom the message is hidden counts like others."""
    hidden = len(new.hidden_from) + len(new.conversation.hidden_marks)
    if new.record.pending_slices is not None:
        return Delivery(delivered=delivery.delivered, pending=delivery.pending + hidden)
    return Delivery(delivered=delivery.delivered + hidden, pending=delivery.pending)


def _answer(message: Message, request: SendMessage, delivery: Delivery, *, duplicate: bool) -> Sent:
    return Sent(
        messageId=message.messageId,
        tempId=request.tempId,
        message=message,
        delivery=delivery,
        duplicate=duplicate,
    )
