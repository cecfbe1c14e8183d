"""Rules of one message: the fields of its type, its preview in the conversation list, its content after deletion."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from contract.models import LastMessage, Message, MessageType
from contract.requests import SendMessage
from contract.text import is_blank, preview
from handlers.core.shared.errors import InvalidRequestError

MEDIA_FIELDS: Final = ("mediaUrl", "fileName", "fileSize", "duration")


class _TypeRule(msgspec.Struct, frozen=True):
    required: tuple[str, ...]
    allowed: tuple[str, ...] = ()


RULES: Final[dict[MessageType, _TypeRule]] = {
    "TEXT": _TypeRule(("content",)),
    "AUDIO": _TypeRule(("mediaUrl", "duration"), ("fileName", "fileSize")),
    "IMAGE": _TypeRule(("mediaUrl",), ("fileName", "fileSize")),
    "VIDEO": _TypeRule(("mediaUrl",), ("fileName", "fileSize", "duration")),
    "FILE": _TypeRule(("mediaUrl", "fileName", "fileSize")),
}
"""Media fields of each type. `content` is required for TEXT and an optional caption for the other types."""


class StoredMessage(msgspec.Struct, frozen=True):
    """A message with the attributes that clients do not get.

    Args:
        hidden_from: participants who do not see the message.
        deleted_change: the change number of its deletion; None for a deletion by the old application.
        voided: a placeholder for a number without a message; no participant sees it.
    """

    message: Message
    hidden_from: frozenset[str] = frozenset()
    deleted_change: int | None = None
    voided: bool = False

    @classmethod
    def of(cls, item: dict[str, Any]) -> StoredMessage:
        """Return the message of an item. A deleted message is returned without content, even if the item has some."""
        present = {name: value for name, value in item.items() if value is not None}
        message = msgspec.convert(present, type=Message)
        message.readBy = []
        hidden_from = frozenset(item.get("hiddenFrom") or ())
        return cls(
            tombstone(message) if message.deleted else message,
            hidden_from,
            item.get("deletedChange"),
            bool(item.get("voided")),
        )

    def visible_to(self, user_id: str) -> bool:
        """Return whether a participant may see the message."""
        return not self.voided and user_id not in self.hidden_from


def check(request: SendMessage) -> None:
    """Check that the fields fit the type.

    Raises:
        InvalidRequestError: a required field is missing, or a field does not belong to the type.
    """
    rule = RULES[request.type]
    for name in rule.required:
        if getattr(request, name) is None:
            raise InvalidRequestError(f"{name} is required for a message of type {request.type}", field=name)
    if request.type == "TEXT" and is_blank(request.content):
        raise InvalidRequestError("content must not be blank", field="content")
    for name in MEDIA_FIELDS:
        if getattr(request, name) is not None and name not in rule.required + rule.allowed:
            raise InvalidRequestError(f"{name} is not allowed in a message of type {request.type}", field=name)


def last_message(message: Message) -> LastMessage:
    """Return a message as the conversation list shows it.

    Raises:
        ValueError: the message has no sequence number.
    """
    if message.seq is None:
        raise ValueError(f"message {message.messageId} has no sequence number")
    return LastMessage(
        messageId=message.messageId,
        senderId=message.senderId,
        type=message.type,
        timestamp=message.timestamp,
        seq=message.seq,
        preview=preview(message.content),
    )


def edited(message: Message, content: str, edited_at: str) -> Message:
    """Return a message with new content; a blank caption is removed.

    Raises:
        InvalidRequestError: a text would be blank.
    """
    if message.type == "TEXT" and is_blank(content):
        raise InvalidRequestError("content must not be blank", field="content")
    return msgspec.structs.replace(message, content=None if is_blank(content) else content, editedAt=edited_at)


def tombstone(message: Message) -> Message:
    """Return a message as it is after its deletion: without content and media."""
    return msgspec.structs.replace(
        message, deleted=True, content=None, mediaUrl=None, fileName=None, fileSize=None, duration=None
    )
