"""One conversation of the inbox, and conversions between the contract's models and what the list shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from client.state.conversation_log import ConversationLog
from client.state.updates import TypingChanged
from contract import events, text
from contract.models import Conversation, ConversationView, LastMessage, Message


@dataclass
class Entry:
    """One conversation.

    Attributes:
        view: the conversation as the list shows it.
        log: its messages.
        counted_seq: sequence number up to which `view.unreadCount` counts.
        typing: when each typing notice expires, by user id.
        read_marks: the highest sequence number that each user has read, by user id.
    """

    view: ConversationView
    log: ConversationLog
    counted_seq: int
    typing: dict[str, float] = field(default_factory=dict)
    read_marks: dict[str, int] = field(default_factory=dict)


def decode(document: Any) -> events.Event | None:
    """Return the event in a document, or None if this client does not know its type or it is malformed."""
    try:
        event: events.Event = msgspec.convert(document, events.Event)
        return event
    except msgspec.ValidationError:
        return None


def without_event_fields(message: Message) -> Message:
    """Return a message without the fields that only its event has, so that equal messages compare equal."""
    fields = Message.__struct_fields__
    return Message(**{name: getattr(message, name) for name in fields})


def last_message(message: Message) -> LastMessage:
    """Return the preview of a message for the list."""
    return LastMessage(
        messageId=message.messageId,
        senderId=message.senderId,
        type=message.type,
        timestamp=message.timestamp,
        seq=message.seq or 0,
        preview=None if message.deleted else text.preview(message.content),
        deleted=message.deleted,
    )


def copy_description(source: Conversation, target: ConversationView) -> None:
    """Copy the fields that `version` counts, except for the name: a DM shows the other user's name in the list."""
    for name in ("participants", "admins", "description", "avatar", "updatedAt", "version"):
        setattr(target, name, getattr(source, name))


def typing_changed(entry: Entry) -> TypingChanged:
    """Return the users who type, as an update."""
    return TypingChanged(entry.view.conversationId, tuple(entry.typing))
