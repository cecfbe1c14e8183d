"""Sends a message: idempotent, gap-free sequence numbers, at-least-once delivery (promise P1)."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import Final

import msgspec

from contract.limits import SEND_RATE
from contract.models import Message
from contract.requests import SendMessage
from contract.responses import Delivery, Sent
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.messages import lookup
from handlers.core.messages.conversation_cache import ConversationCache
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.group_send import GroupMessageWriter, Stored
from handlers.core.messages.new_message import SendIdentity, new_message
from handlers.core.messages.ports import (
    ConversationReader,
    MessageFinder,
    MessageStore,
    MessageWriteStatus,
    NewMessage,
)
from handlers.core.messages.rules import StoredMessage, check
from handlers.core.shared import concurrency
from handlers.core.shared.errors import (
    ChatError,
    ForbiddenError,
    NotFoundError,
    OutcomeUnknownError,
    TooManyRequestsError,
    UnavailableError,
)
from handlers.core.shared.ports import Clock, Ids
from handlers.core.shared.retry import attempts
from handlers.core.shared.timestamps import from_iso
from handlers.core.shared.timing import stage

_NO_DELIVERY: Final = Delivery(delivered=0, pending=0)
"""The delivery of a repeated send: the first send delivers the message."""


class MessageSender(msgspec.Struct, frozen=True, kw_only=True):
    """Sends messages.

    Args:
        groups: stores the messages of groups.
        cache: saves the read of a conversation that this process used before.
        fanout_limit: most recipients published to within the request.
    """

    conversations: ConversationReader
    cache: ConversationCache
    messages: MessageFinder
    store: MessageStore
    groups: GroupMessageWriter
    dispatcher: Dispatcher
    clock: Clock
    ids: Ids
    fanout_limit: int

    def send(self, sender_id: str, request: SendMessage) -> Sent:
        """Store a message and deliver it; a repeated `tempId` returns the first result.

        Raises:
            InvalidRequestError: the fields do not fit the type.
            ForbiddenError: `senderId` is another user, or the sender is no participant or has blocked the other one.
            NotFoundError: no such conversation, or `replyTo` is not in it.
            TooManyRequestsError: the sender's rate limit is used up.
            UnavailableError: too many senders at once; nothing was stored.
        """
        if request.senderId is not None and request.senderId != sender_id:
            raise ForbiddenError("senderId must be your own user id", field="senderId")
        check(request)
        identity = SendIdentity(sender_id, self.ids.new(), self.ids.new())
        with stage("read"):
            conversation = self._read(sender_id, request)
        try:
            with stage("store"):
                stored = self._store(identity, request, conversation)
        except TooManyRequestsError:  # the transaction has ruled out a repeated tempId
            raise
        except (ChatError, OutcomeUnknownError):
            before = self._find_by_temp_id(sender_id, request)
            if before is None:
                raise
            stored = before
        if isinstance(stored, StoredMessage):
            return _answer(stored.message, request, _NO_DELIVERY, duplicate=True)
        settling: Future[None] | None = None
        if isinstance(stored, Stored):
            settling = concurrency.start(partial(self.groups.settle, stored))
            stored = stored.new
        delivery = self.dispatcher.dispatch(stored.record)
        if settling is not None:
            settling.result()
        return _answer(stored.message, request, _shown(stored, delivery), duplicate=False)

    def _read(self, sender_id: str, request: SendMessage) -> ConversationState | None:
        """Return the conversation, from the cache if possible, and check `replyTo` at the same time."""
        reply: Future[StoredMessage] | None = None
        if request.replyTo is not None:
            reply = concurrency.start(partial(self._reply, sender_id, request.conversationId, request.replyTo))
        conversation = self.cache.get(request.conversationId)
        if conversation is None or not _may_send(conversation, sender_id):
            conversation = self.conversations.read(request.conversationId)
        if reply is not None and conversation is not None and sender_id in conversation.participants:
            reply.result()
        return conversation

    def _reply(self, sender_id: str, conversation_id: str, message_id: str) -> StoredMessage:
        return lookup.message(self.messages, message_id, conversation_id, sender_id, "replyTo")

    def _store(
        self, identity: SendIdentity, request: SendMessage, conversation: ConversationState | None
    ) -> Stored | NewMessage | StoredMessage:
        """Store the message; in a direct conversation, again after each conflict with another write.

        Returns:
            What was stored, or the message that was accepted before with the same tempId.
        """
        earliest = 0
        for _ in attempts(self.clock):
            if conversation is None:
                raise NotFoundError("no such conversation", field="conversationId")
            if conversation.is_group:
                return self.groups.store(identity, request, conversation)
            conversation.require_participant(identity.sender_id)
            conversation.require_not_blocker(identity.sender_id)
            new = self._new_message(identity, request, conversation, earliest)
            result = self.store.store(new)
            match result.status:
                case MessageWriteStatus.STORED:
                    return new
                case MessageWriteStatus.CONFLICT:
                    conversation = result.conversation
                case MessageWriteStatus.TIMESTAMP_TAKEN:
                    earliest = from_iso(new.message.timestamp) + 1
                case MessageWriteStatus.DUPLICATE:
                    before = self._find_by_temp_id(identity.sender_id, request)
                    if before is not None:
                        return before
                case MessageWriteStatus.RATE_LIMITED:
                    wait = SEND_RATE.retry_after(new.now / 1000)
                    raise TooManyRequestsError("too many messages", retry_after=wait)
        raise UnavailableError("too many senders at once; nothing was stored; try again")

    def _find_by_temp_id(self, sender_id: str, request: SendMessage) -> StoredMessage | None:
        if request.tempId is None:
            return None
        with stage("replay"):
            return self.store.find_by_temp_id(sender_id, request.conversationId, request.tempId)

    def _new_message(
        self, identity: SendIdentity, request: SendMessage, conversation: ConversationState, earliest: int
    ) -> NewMessage:
        """Return the message with the next sequence number and a timestamp above all earlier ones."""
        now = self.clock.now()
        last_message_at = conversation.last_message_at
        newest = from_iso(last_message_at) + 1 if last_message_at else 0
        return new_message(
            identity,
            request,
            conversation,
            seq=conversation.latest_seq + 1,
            timestamp=max(now, newest, earliest),
            now=now,
            fanout_limit=self.fanout_limit,
        )


def _shown(new: NewMessage, delivery: Delivery) -> Delivery:
    """Return the delivery as the sender sees it: a participant from whom the message is hidden counts like others."""
    hidden = len(new.hidden_from) + len(new.conversation.hidden_marks)
    if new.record.pending_slices is not None:
        return Delivery(delivered=delivery.delivered, pending=delivery.pending + hidden)
    return Delivery(delivered=delivery.delivered + hidden, pending=delivery.pending)


def _may_send(conversation: ConversationState, sender_id: str) -> bool:
    """Return whether a cached conversation allows a send. If not, it is read again: the cache may be out of date."""
    return sender_id in conversation.participants and sender_id not in conversation.blocked_by


def _answer(message: Message, request: SendMessage, delivery: Delivery, *, duplicate: bool) -> Sent:
    return Sent(
        messageId=message.messageId,
        tempId=request.tempId,
        message=message,
        delivery=delivery,
        duplicate=duplicate,
    )
