"""Every event that clients receive: its type, the namespaces that carry it, and the fields of its data.

On the wire an event is `{eventId, type, data, timestamp, serverTimestamp}`. `timestamp` is the time at which the change
was stored, `serverTimestamp` the time at which the channel's onPublish handler accepted the event; both are ISO dates
in UTC with milliseconds. `eventId` is the same for every recipient and every redelivery: a client ignores an event
whose `eventId` it has already received.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from contract import channels
from contract.calls import events as call_events
from contract.calls.events import CallEvent
from contract.models import Conversation, Message, PublicUser


class SentMessage(Message, kw_only=True):
    """A stored message, with the `tempId` by which the sender's devices match it to their unconfirmed copy."""

    tempId: str | None = None


class MessageSent(msgspec.Struct, tag="MESSAGE_SENT", tag_field="type", kw_only=True):
    """A message was stored; `data` is the whole message."""

    eventId: str
    timestamp: str
    data: SentMessage


class MessageUpdatedData(msgspec.Struct, kw_only=True):
    """`change` is the change number: edits and deletions count from 1 within the conversation. `message` is the edited
    message.
    """

    conversationId: str
    messageId: str
    change: int
    updatedBy: str
    message: Message


class MessageUpdated(msgspec.Struct, tag="MESSAGE_UPDATED", tag_field="type", kw_only=True):
    """The sender edited a message."""

    eventId: str
    timestamp: str
    data: MessageUpdatedData


class MessageDeletedData(msgspec.Struct, kw_only=True):
    """`change` is the change number: edits and deletions count from 1 within the conversation."""

    conversationId: str
    messageId: str
    seq: int | None
    change: int
    deletedBy: str
    deletedAt: str


class MessageDeleted(msgspec.Struct, tag="MESSAGE_DELETED", tag_field="type", kw_only=True):
    """A message was deleted: its content is removed, its sequence number remains."""

    eventId: str
    timestamp: str
    data: MessageDeletedData


class ReadBy(msgspec.Struct, kw_only=True):
    """The user `userId` has read every message up to and including the sequence number `readSeq`."""

    userId: str
    readSeq: int
    readAt: str


class MessageReadData(msgspec.Struct, kw_only=True):
    """The user `readBy` has read every message up to and including the sequence number `readSeq`.

    In a group, `readers` lists every member whose read mark moved within some seconds, `readBy` among them; in a direct
    conversation it is empty.
    """

    conversationId: str
    readBy: str
    readSeq: int
    readAt: str
    readers: list[ReadBy] = msgspec.field(default_factory=list)


class MessageRead(msgspec.Struct, tag="MESSAGE_READ", tag_field="type", kw_only=True):
    """Participants have read messages: their read marks moved forward.

    In a direct conversation both participants get the event at once. In a group it is published at most once in some
    seconds: the readers get their own mark, and the senders of the messages get the marks of all readers.
    """

    eventId: str
    timestamp: str
    data: MessageReadData


class TypingData(msgspec.Struct, kw_only=True):
    """The user who types and the conversation. Clients remove the typing indicator after three seconds."""

    conversationId: str
    userId: str


class UserTyping(msgspec.Struct, tag="USER_TYPING", tag_field="type", kw_only=True):
    """A participant started typing. The event is neither stored nor redelivered."""

    eventId: str
    timestamp: str
    data: TypingData


class UserStoppedTyping(msgspec.Struct, tag="USER_STOPPED_TYPING", tag_field="type", kw_only=True):
    """A participant stopped typing. The event is neither stored nor redelivered."""

    eventId: str
    timestamp: str
    data: TypingData


class ConversationData(msgspec.Struct, kw_only=True):
    """The conversation after the change; clients keep the copy with the highest `version`."""

    conversation: Conversation
    changedBy: str


class ConversationCreated(msgspec.Struct, tag="CONVERSATION_CREATED", tag_field="type", kw_only=True):
    """A conversation was created, or the recipient was added to it."""

    eventId: str
    timestamp: str
    data: ConversationData


class ConversationUpdated(msgspec.Struct, tag="CONVERSATION_UPDATED", tag_field="type", kw_only=True):
    """The name, description, avatar, members or roles of a conversation changed."""

    eventId: str
    timestamp: str
    data: ConversationData


class ConversationRemovedData(msgspec.Struct, kw_only=True):
    """`userId` is no longer a participant; `removedBy` is the same id where the user left."""

    conversationId: str
    userId: str
    removedBy: str


class ConversationRemoved(msgspec.Struct, tag="CONVERSATION_REMOVED", tag_field="type", kw_only=True):
    """The recipient left the conversation or was removed from it."""

    eventId: str
    timestamp: str
    data: ConversationRemovedData


class UserUpdatedData(msgspec.Struct, kw_only=True):
    """The public profile after the change."""

    user: PublicUser


class UserUpdated(msgspec.Struct, tag="USER_UPDATED", tag_field="type", kw_only=True):
    """The recipient, or a user who shares a conversation with the recipient, changed the public profile.

    A change is published to at most 200 other users: those of direct conversations first, then those of the smallest
    groups. The others see it in their next response with the user's name.
    """

    eventId: str
    timestamp: str
    data: UserUpdatedData


class BlockData(msgspec.Struct, kw_only=True):
    """The user whom the recipient blocked or unblocked."""

    userId: str


class UserBlocked(msgspec.Struct, tag="USER_BLOCKED", tag_field="type", kw_only=True):
    """The recipient blocked a user, on this or another device. No other user receives the event."""

    eventId: str
    timestamp: str
    data: BlockData


class UserUnblocked(msgspec.Struct, tag="USER_UNBLOCKED", tag_field="type", kw_only=True):
    """The recipient unblocked a user, on this or another device. No other user receives the event."""

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
"""The events of each namespace; its onPublish handler refuses every other type."""


def event_types(namespace: str) -> tuple[str, ...]:
    """Return the event types of a namespace, in the order of `EVENTS`."""
    return tuple(event.__struct_config__.tag for event in EVENTS[namespace])
