"""Makes the message of a send, with its event and outbox record."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from contract import channels, events
from contract.models import Message
from contract.outbox_keys import send_record_id
from contract.requests import SendMessage
from handlers.core.delivery.outbox import outbox_record
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import NewMessage
from handlers.core.shared.timestamps import to_iso

DIRECT_PARTICIPANTS: Final = 2
"""Recipients of a direct message: never delivered in slices, since its record stays after the delivery."""


class SendIdentity(msgspec.Struct, frozen=True):
    """The ids of one send, the same in all attempts to store it."""

    sender_id: str
    message_id: str
    event_id: str


def new_message(
    identity: SendIdentity,
    request: SendMessage,
    conversation: ConversationState,
    *,
    seq: int,
    timestamp: int,
    now: int,
    fanout_limit: int,
    membership: Literal["member", "ahead", "conversation"] = "member",
) -> NewMessage:
    """Return the message to store.

    Args:
        identity: ids of the send.
        request: what to send.
        conversation: the conversation as read.
        seq: the message's sequence number.
        timestamp: its timestamp in milliseconds since the epoch.
        now: milliseconds since the epoch.
        fanout_limit: most recipients published to within the request.
        membership: how the transaction checks the membership, see `NewMessage`.
    """
    at = to_iso(timestamp)
    message = Message(
        messageId=identity.message_id,
        conversationId=request.conversationId,
        senderId=identity.sender_id,
        timestamp=at,
        type=request.type,
        seq=seq,
        content=request.content,
        mediaUrl=request.mediaUrl,
        fileName=request.fileName,
        fileSize=request.fileSize,
        duration=request.duration,
        replyTo=request.replyTo,
        createdAt=at,
    )
    hidden_from = conversation.hidden_from(identity.sender_id)
    event = events.MessageSent(
        eventId=identity.event_id,
        timestamp=at,
        data=events.SentMessage(**msgspec.structs.asdict(message), tempId=request.tempId),
    )
    fanout_limit = fanout_limit if conversation.is_group else max(fanout_limit, DIRECT_PARTICIPANTS)
    recipients = [each for each in conversation.participants if each not in hidden_from]
    record = outbox_record(
        channels.CHATS,
        event,
        recipients,
        now=now,
        fanout_limit=fanout_limit,
        audience=None if hidden_from else request.conversationId,
    )
    if not conversation.is_group:
        temp_id = request.tempId or identity.message_id
        event_id = send_record_id(request.conversationId, identity.sender_id, temp_id)
        record = msgspec.structs.replace(record, event_id=event_id)
    return NewMessage(
        conversation=conversation,
        message=message,
        temp_id=request.tempId,
        hidden_from=hidden_from,
        record=record,
        now=now,
        membership=membership,
    )
