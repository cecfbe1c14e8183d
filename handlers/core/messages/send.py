"""Sending a message: accepted once, numbered without a hole, and on its way to everybody (promise P1)."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import Final

import msgspec

from contract import channels, events
from contract.limits import SEND_RATE
from contract.models import Message
from contract.requests import SendMessage
from contract.responses import Delivery, Sent
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.outbox import outbox_record
from handlers.core.messages import lookup
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import Draft, MessageWriteStatus, SendStore
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
from handlers.core.shared.timestamps import from_iso, to_iso
from handlers.core.shared.timing import stage

_NO_DELIVERY: Final = Delivery(delivered=0, pending=0)
"""A repeated send delivers nothing: the first one does."""


class _AcceptedBeforeError(Exception):
    """The tempId stands for this message already."""

    def __init__(self, message: Message) -> None:
        super().__init__(message.messageId)
        self.message = message


class _Identity(msgspec.Struct, frozen=True):
    """What stays the same however often one send is tried."""

    sender_id: str
    message_id: str
    event_id: str


class MessageSender(msgspec.Struct, frozen=True):
    """Sends messages.

    Args:
        fanout_limit: most recipients published to within the request.
    """

    store: SendStore
    dispatcher: Dispatcher
    clock: Clock
    ids: Ids
    fanout_limit: int

    def send(self, sender_id: str, request: SendMessage) -> Sent:
        """Store a message and deliver it; a repeated `tempId` answers with the first result.

        Raises:
            InvalidRequestError: the fields do not fit the type.
            ForbiddenError: `senderId` is somebody else, the sender is no participant, or has blocked the other.
            NotFoundError: no such conversation, or `replyTo` is not in it.
            TooManyRequestsError: the sender's limit is used up.
            UnavailableError: too many senders at once; nothing was stored.
        """
        if request.senderId is not None and request.senderId != sender_id:
            raise ForbiddenError("senderId is not you", field="senderId")
        check(request)
        identity = _Identity(sender_id, self.ids.new(), self.ids.new())
        with stage("read"):
            state = self._read(sender_id, request)
        try:
            with stage("store"):
                draft = self._store(identity, request, state)
        except _AcceptedBeforeError as before:
            return _answer(before.message, request, _NO_DELIVERY, duplicate=True)
        except (ChatError, OutcomeUnknownError):
            stored = self._replayed(sender_id, request)
            if stored is None:
                raise
            return _answer(stored.message, request, _NO_DELIVERY, duplicate=True)
        delivery = self.dispatcher.dispatch(draft.record)
        shown = Delivery(delivered=delivery.delivered + len(draft.hidden_from), pending=delivery.pending)
        return _answer(draft.message, request, shown, duplicate=False)

    def _read(self, sender_id: str, request: SendMessage) -> ConversationState | None:
        """Return the conversation, recalled if possible, while `replyTo` is looked up beside it."""
        reply: Future[StoredMessage] | None = None
        if request.replyTo is not None:
            reply = concurrency.start(partial(self._reply, sender_id, request.conversationId, request.replyTo))
        state = self.store.recall(request.conversationId)
        if state is None or not _may_send(state, sender_id):
            state = self.store.read(request.conversationId)
        if reply is not None and state is not None and sender_id in state.participants:
            reply.result()
        return state

    def _reply(self, sender_id: str, conversation_id: str, message_id: str) -> StoredMessage:
        return lookup.message(self.store, self.clock, message_id, conversation_id, sender_id, "replyTo")

    def _store(self, identity: _Identity, request: SendMessage, state: ConversationState | None) -> Draft:
        """Store the message on top of the conversation as it is, however often it moves on meanwhile."""
        floor = 0
        for _ in attempts(self.clock):
            if state is None:
                raise NotFoundError("no such conversation", field="conversationId")
            state.require_participant(identity.sender_id)
            state.require_unblocked_by(identity.sender_id)
            draft = self._draft(identity, request, state, floor)
            outcome = self.store.store(draft)
            match outcome.verdict:
                case MessageWriteStatus.STORED:
                    return draft
                case MessageWriteStatus.CONFLICT:
                    state = outcome.state
                case MessageWriteStatus.TIMESTAMP_TAKEN:
                    floor = from_iso(draft.message.timestamp) + 1
                case MessageWriteStatus.REPLAYED:
                    stored = self._replayed(identity.sender_id, request)
                    if stored is not None:
                        raise _AcceptedBeforeError(stored.message)
                case MessageWriteStatus.EXHAUSTED:
                    wait = SEND_RATE.retry_after(draft.now / 1000)
                    raise TooManyRequestsError("too many messages", retry_after=wait)
        raise UnavailableError("too many senders at once; nothing was stored; try again")

    def _replayed(self, sender_id: str, request: SendMessage) -> StoredMessage | None:
        if request.tempId is None:
            return None
        with stage("replay"):
            return self.store.replay(sender_id, request.conversationId, request.tempId)

    def _draft(self, identity: _Identity, request: SendMessage, known: ConversationState, floor: int) -> Draft:
        now = self.clock.now()
        newest = from_iso(known.last_message_at) + 1 if known.last_message_at else 0
        timestamp = to_iso(max(now, newest, floor))
        message = Message(
            messageId=identity.message_id,
            conversationId=request.conversationId,
            senderId=identity.sender_id,
            timestamp=timestamp,
            type=request.type,
            seq=known.latest_seq + 1,
            content=request.content,
            mediaUrl=request.mediaUrl,
            fileName=request.fileName,
            fileSize=request.fileSize,
            duration=request.duration,
            replyTo=request.replyTo,
            createdAt=timestamp,
        )
        hidden_from = known.hidden_from(identity.sender_id)
        event = events.MessageSent(
            eventId=identity.event_id,
            timestamp=timestamp,
            data=events.SentMessage(**msgspec.structs.asdict(message), tempId=request.tempId),
        )
        recipients = [each for each in known.participants if each not in hidden_from]
        record = outbox_record(channels.CHATS, event, recipients, now=now, fanout_limit=self.fanout_limit)
        return Draft(
            known=known, message=message, temp_id=request.tempId, hidden_from=hidden_from, record=record, now=now
        )


def _may_send(state: ConversationState, sender_id: str) -> bool:
    """Whether a recalled state may be built on: no refusal rests on one that may be out of date."""
    return sender_id in state.participants and sender_id not in state.blocked_by


def _answer(message: Message, request: SendMessage, delivery: Delivery, *, duplicate: bool) -> Sent:
    return Sent(
        messageId=message.messageId,
        tempId=request.tempId,
        message=message,
        delivery=delivery,
        duplicate=duplicate,
    )
