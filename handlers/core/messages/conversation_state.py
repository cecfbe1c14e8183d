"""The attributes of a conversation that the message rules use, and the permissions of its participants."""

from __future__ import annotations

from typing import Any, Self

import msgspec
from msgspec.structs import replace

from handlers.core.shared.errors import ForbiddenError


class ConversationState(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation at the time of a read.

    Conversations of the old application have no version, sequence number or change number; they read as 0.

    Args:
        last_message_at: ISO date of the newest message; None before the first.
        last_message_id: id of the message that the conversation list shows.
        newest_before: ISO date below which all messages up to `latest_seq` are, and above which none of them is; None
            where the newest stored message is also the newest one to show.
        receipts_due_at: when the open window of a group's read marks is due, in milliseconds since the epoch; 0 without
            one, and where the counter was not read.
        blocked_by: participants of a direct conversation who have blocked the other participant.
    """

    conversation_id: str
    is_group: bool
    participants: tuple[str, ...]
    admins: tuple[str, ...]
    version: int
    latest_seq: int
    latest_change: int
    created_at: str
    last_message_at: str | None = None
    last_message_id: str | None = None
    newest_before: str | None = None
    receipts_due_at: int = 0
    blocked_by: frozenset[str] = frozenset()

    @classmethod
    def of(cls, item: dict[str, Any]) -> Self:
        """Return the state of a stored conversation."""
        return cls(
            conversation_id=item["conversationId"],
            is_group=item.get("type") == "GROUP",
            participants=tuple(item.get("participants") or ()),
            admins=tuple(item.get("admins") or ()),
            version=item.get("version") or 0,
            latest_seq=item.get("latestSeq") or 0,
            latest_change=item.get("latestChange") or 0,
            created_at=item.get("createdAt") or "",
            last_message_at=item.get("lastMessageAt"),
            last_message_id=(item.get("lastMessage") or {}).get("messageId"),
            blocked_by=frozenset(item.get("blockedBy") or ()),
        )

    def after_message(self, message_id: str, seq: int, timestamp: str) -> ConversationState:
        """Return the state after a message was stored."""
        return replace(self, latest_seq=seq, last_message_at=timestamp, last_message_id=message_id)

    def require_participant(self, user_id: str) -> None:
        """Require that a user is a participant.

        Raises:
            ForbiddenError: the user is not a participant.
        """
        if user_id not in self.participants:
            raise ForbiddenError("you are not a participant of this conversation")

    def require_not_blocker(self, user_id: str) -> None:
        """Require that a participant has not blocked the other one, who could not answer.

        Raises:
            ForbiddenError: the user has blocked the other participant.
        """
        if user_id in self.blocked_by:
            raise ForbiddenError("you have blocked this user; unblock first")

    def other_participants(self, user_id: str) -> tuple[str, ...]:
        """Return all participants except one."""
        return tuple(each for each in self.participants if each != user_id)

    def hidden_from(self, sender_id: str) -> frozenset[str]:
        """Return the participants from whom a message of this sender is hidden: those who have blocked the sender."""
        return self.blocked_by - {sender_id}
