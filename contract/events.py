"""Every event that reaches a client: its type, the namespace that carries it, and the shape of its data.

On the wire an event is `{eventId, type, data, timestamp, serverTimestamp}`. `timestamp` is when the change was
stored, `serverTimestamp` when the channel's onPublish handler let the event pass; both are ISO dates in UTC with
milliseconds. `eventId` is the same for every recipient and every redelivery: a client that has seen it ignores it.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from contract import channels
from contract.calls import events as call_events
from contract.calls.events import CallEvent
from contract.models import Conversation, Message, PublicUser


class SentMessage(Message, kw_only=True):
    """A stored message, with the tempId by which its sender's devices find their optimistic copy."""

    tempId: str | None = None


class MessageSent(msgspec.Struct, tag="MESSAGE_SENT", tag_field="type", kw_only=True):
    """A message was accepted: `data` is the whole stored message."""

    eventId: str
    timestamp: str
    data: SentMessage


class MessageUpdatedData(msgspec.Struct, kw_only=True):
    """`change` numbers edits and deletions within the conversation; `message` is the message as it is now."""

    conversationId: str
    messageId: str
    change: int
    updatedBy: str
    message: Message


class MessageUpdated(msgspec.Struct, tag="MESSAGE_UPDATED", tag_field="type", kw_only=True):
    """A message was edited by its sender."""

    eventId: str
    timestamp: str
    data: MessageUpdatedData


class MessageDeletedData(msgspec.Struct, kw_only=True):
    """`change` numbers edits and deletions within the conversation."""

    conversationId: str
    messageId: str
    seq: int | None
    change: int
    deletedBy: str
    deletedAt: str


class MessageDeleted(msgspec.Struct, tag="MESSAGE_DELETED", tag_field="type", kw_only=True):
    """A message was deleted: its content is gone, its place in the sequence stays."""

    eventId: str
    timestamp: str
    data: MessageDeletedData


class MessageReadData(msgspec.Struct, kw_only=True):
    """`readBy` has read everything up to and including `readSeq`."""

    conversationId: str
    readBy: str
    readSeq: int
    readAt: str


class MessageRead(msgspec.Struct, tag="MESSAGE_READ", tag_field="type", kw_only=True):
    """A participant has read up to a message."""

    eventId: str
    timestamp: str
    data: MessageReadData


class TypingData(msgspec.Struct, kw_only=True):
    """Who is typing where; a client lets the notice expire after three seconds."""

    conversationId: str
    userId: str


class UserTyping(msgspec.Struct, tag="USER_TYPING", tag_field="type", kw_only=True):
    """A participant is typing. Not stored, not redelivered."""

    eventId: str
    timestamp: str
    data: TypingData


class UserStoppedTyping(msgspec.Struct, tag="USER_STOPPED_TYPING", tag_field="type", kw_only=True):
    """A participant has stopped typing. Not stored, not redelivered."""

    eventId: str
    timestamp: str
    data: TypingData


class ConversationData(msgspec.Struct, kw_only=True):
    """The conversation as it is now; a client keeps the one with the greatest `version`."""

    conversation: Conversation
    changedBy: str


class ConversationCreated(msgspec.Struct, tag="CONVERSATION_CREATED", tag_field="type", kw_only=True):
    """A conversation came to be, or its recipient was added to it."""

    eventId: str
    timestamp: str
    data: ConversationData


class ConversationUpdated(msgspec.Struct, tag="CONVERSATION_UPDATED", tag_field="type", kw_only=True):
    """Name, description, avatar, members or roles of a conversation changed."""

    eventId: str
    timestamp: str
    data: ConversationData


class ConversationRemovedData(msgspec.Struct, kw_only=True):
    """`userId` is no longer in the conversation; `removedBy` is the same id when the user left."""

    conversationId: str
    userId: str
    removedBy: str


class ConversationRemoved(msgspec.Struct, tag="CONVERSATION_REMOVED", tag_field="type", kw_only=True):
    """The recipient left a conversation or was removed from it."""

    eventId: str
    timestamp: str
    data: ConversationRemovedData


class UserUpdatedData(msgspec.Struct, kw_only=True):
    """The public part of a profile as it is now."""

    user: PublicUser


class UserUpdated(msgspec.Struct, tag="USER_UPDATED", tag_field="type", kw_only=True):
    """A user whom the recipient shares a conversation with (or the recipient) changed the public profile."""

    eventId: str
    timestamp: str
    data: UserUpdatedData


class BlockData(msgspec.Struct, kw_only=True):
    """The user whom the recipient blocked or unblocked."""

    userId: str


class UserBlocked(msgspec.Struct, tag="USER_BLOCKED", tag_field="type", kw_only=True):
    """The recipient blocked somebody, on this or another device. Goes to nobody else."""

    eventId: str
    timestamp: str
    data: BlockData


class UserUnblocked(msgspec.Struct, tag="USER_UNBLOCKED", tag_field="type", kw_only=True):
    """The recipient unblocked somebody, on this or another device. Goes to nobody else."""

    eventId: str
    timestamp: str
    data: BlockData


ChatEvent = (
    MessageSent
    | MessageUpdated
    | MessageDeleted
    | MessageRead
    | UserTyping
    | UserStoppedTyping
    | ConversationCreated
    | ConversationUpdated
    | ConversationRemoved
)
UserEvent = UserUpdated | UserBlocked | UserUnblocked
Event = ChatEvent | UserEvent | CallEvent

EVENTS: Final[dict[str, tuple[type[Any], ...]]] = {
    channels.CHATS.name: (
        MessageSent,
        MessageUpdated,
        MessageDeleted,
        MessageRead,
        UserTyping,
        UserStoppedTyping,
        ConversationCreated,
        ConversationUpdated,
        ConversationRemoved,
    ),
    channels.USERS.name: (
        UserUpdated,
        UserBlocked,
        UserUnblocked,
        call_events.IncomingCall,
        call_events.CallRinging,
        call_events.CallConnected,
        call_events.ParticipantJoined,
        call_events.ParticipantLeft,
        call_events.CallRejected,
        call_events.CallCancelled,
        call_events.CallMissed,
        call_events.CallEnded,
        call_events.CallError,
    ),
    channels.CALLS.name: (call_events.ParticipantJoined, call_events.ParticipantLeft, call_events.CallEnded),
    channels.CONVERSATIONS.name: (MessageSent,),
}
"""The events each namespace carries; its onPublish handler refuses every other type."""


def event_types(namespace: str) -> tuple[str, ...]:
    """Return the event types that a namespace carries, in the order of the catalogue."""
    return tuple(event.__struct_config__.tag for event in EVENTS[namespace])
