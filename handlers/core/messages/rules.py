"""Rules of one message: which fields its type needs, what the list shows of it, what a deleted one keeps."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from contract.limits import PREVIEW_CHARACTERS
from contract.models import LastMessage, Message, MessageType
from contract.requests import SendMessage
from handlers.core.shared.errors import InvalidRequestError

MEDIA_FIELDS: Final = ("mediaUrl", "fileName", "fileSize", "duration")


class _TypeRule(msgspec.Struct, frozen=True):
    needed: tuple[str, ...]
    allowed: tuple[str, ...] = ()


RULES: Final[dict[MessageType, _TypeRule]] = {
    "TEXT": _TypeRule(("content",)),
    "AUDIO": _TypeRule(("mediaUrl", "duration"), ("fileName", "fileSize")),
    "IMAGE": _TypeRule(("mediaUrl",), ("fileName", "fileSize")),
    "VIDEO": _TypeRule(("mediaUrl",), ("fileName", "fileSize", "duration")),
    "FILE": _TypeRule(("mediaUrl", "fileName", "fileSize")),
}
"""Media fields of each type; `content` is needed by TEXT and an optional caption everywhere else."""


class StoredMessage(msgspec.Struct, frozen=True):
    """A message with what only the server knows: from whom it is hidden, and the number of its deletion."""

    message: Message
    hidden_from: frozenset[str] = frozenset()
    deleted_change: int | None = None

    @classmethod
    def of(cls, item: dict[str, Any]) -> StoredMessage:
        """Return the message that an item holds; a deleted one without its content, whoever deleted it how."""
        present = {name: value for name, value in item.items() if value is not None}
        message = msgspec.convert(present, type=Message)
        message.readBy = []
        hidden_from = frozenset(item.get("hiddenFrom") or ())
        return cls(tombstone(message) if message.deleted else message, hidden_from, item.get("deletedChange"))

    def visible_to(self, user_id: str) -> bool:
        """Return whether a participant may see it."""
        return user_id not in self.hidden_from


def is_blank(text: str | None) -> bool:
    """Return whether a text shows nothing."""
    return not text or text.isspace()


def check(request: SendMessage) -> None:
    """Check what one field alone cannot say.

    Raises:
        InvalidRequestError: a field that the type needs is missing, or one does not belong to it.
    """
    rule = RULES[request.type]
    for name in rule.needed:
        if getattr(request, name) is None:
            raise InvalidRequestError(f"{name} is missing: a message of type {request.type} needs it", field=name)
    if request.type == "TEXT" and is_blank(request.content):
        raise InvalidRequestError("content must not be blank", field="content")
    for name in MEDIA_FIELDS:
        if getattr(request, name) is not None and name not in rule.needed + rule.allowed:
            raise InvalidRequestError(f"{name} does not belong to a message of type {request.type}", field=name)


def preview(content: str | None) -> str | None:
    """Return what the conversation list shows of a content."""
    if content is None or is_blank(content):
        return None
    return content[:PREVIEW_CHARACTERS]


def last_message(message: Message) -> LastMessage:
    """Return a numbered message as the conversation list shows it.

    Raises:
        ValueError: the message has no number.
    """
    if message.seq is None:
        raise ValueError(f"message {message.messageId} has no number")
    return LastMessage(
        messageId=message.messageId,
        senderId=message.senderId,
        type=message.type,
        timestamp=message.timestamp,
        seq=message.seq,
        preview=preview(message.content),
    )


def edited(message: Message, content: str, edited_at: str) -> Message:
    """Return a message with another content; a blank caption is none.

    Raises:
        InvalidRequestError: a text would be blank.
    """
    if message.type == "TEXT" and is_blank(content):
        raise InvalidRequestError("content must not be blank", field="content")
    return msgspec.structs.replace(message, content=None if is_blank(content) else content, editedAt=edited_at)


def tombstone(message: Message) -> Message:
    """Return what is left of a deleted message: its place, its sender, its type."""
    return msgspec.structs.replace(
        message, deleted=True, content=None, mediaUrl=None, fileName=None, fileSize=None, duration=None
    )
