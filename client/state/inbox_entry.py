"""One conversation of an inbox, and how messages and events change what the list shows of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from client.state.conversation_log import ConversationLog
from client.state.updates import TypingChanged
from contract import events
from contract.limits import PREVIEW_CHARACTERS
from contract.models import Conversation, ConversationView, LastMessage, Message


@dataclass
class Entry:
    """One conversation: as the list shows it, its log, who types (until when) and how far everybody has read."""

    view: ConversationView
    log: ConversationLog
    counted: int
    typing: dict[str, float] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)


def decode(document: Any) -> events.Event | None:
    """Return an event of the contract, or None for one that this client does not know."""
    try:
        event: events.Event = msgspec.convert(document, events.Event)
        return event
    except msgspec.ValidationError:
        return None


def plain(message: Message) -> Message:
    """Return a message without what only its event carries, so that equal messages compare equal."""
    fields = Message.__struct_fields__
    return Message(**{name: getattr(message, name) for name in fields})


def last_message(message: Message) -> LastMessage:
    """Return a message as the list shows it."""
    preview = None if message.deleted or not message.content else message.content[:PREVIEW_CHARACTERS]
    return LastMessage(
        messageId=message.messageId,
        senderId=message.senderId,
        type=message.type,
        timestamp=message.timestamp,
        seq=message.seq or 0,
        preview=preview,
        deleted=message.deleted,
    )


def copy_description(source: Conversation, target: ConversationView) -> None:
    """Copy what `version` counts, except for the name, which a list shows differently."""
    for name in ("participants", "admins", "description", "avatar", "updatedAt", "version"):
        setattr(target, name, getattr(source, name))


def typing_of(entry: Entry) -> TypingChanged:
    """Return who types, as an update."""
    return TypingChanged(entry.view.conversationId, tuple(entry.typing))
