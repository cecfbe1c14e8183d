"""The attributes of a conversation that the message rules use, and the permissions of its participants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import msgspec

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
        hidden_marks: listed participants of a group for whom it is hidden, with the read mark that is shown of them;
            they are not among `participants`.
        last_timestamp: of a direct conversation, the greatest reserved timestamp in milliseconds since the epoch.
        pending: of a direct conversation, its pending reservations (`numbering`): number and timestamp by id.
        pending_changes: of a direct conversation, its pending change numbers by id of the reservation.
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
    hidden_marks: Mapping[str, int] = msgspec.field(default_factory=dict)
    last_timestamp: int = 0
    pending: Mapping[str, tuple[int, int]] = msgspec.field(default_factory=dict)
    pending_changes: Mapping[str, int] = msgspec.field(default_factory=dict)

    @classmethod
    def of(cls, item: dict[str, Any]) -> Self:
        """Return the state of a stored conversation."""
        hidden = item.get("hiddenMembers") or {}
        times = item.get("pendingAt") or {}
        return cls(
            conversation_id=item["conversationId"],
            is_group=item.get("type") == "GROUP",
            participants=tuple(each for each in item.get("participants") or () if each not in hidden),
            admins=tuple(item.get("admins") or ()),
            version=item.get("version") or 0,
            latest_seq=item.get("latestSeq") or 0,
            latest_change=item.get("latestChange") or 0,
            created_at=item.get("createdAt") or "",
            last_message_at=item.get("lastMessageAt"),
            last_message_id=(item.get("lastMessage") or {}).get("messageId"),
            blocked_by=frozenset(item.get("blockedBy") or ()),
            hidden_marks={user_id: each["lastReadSeq"] for user_id, each in hidden.items()},
            last_timestamp=item.get("lastTimestampMs") or 0,
            pending={each: (seq, times[each]) for each, seq in (item.get("pendingSeq") or {}).items()},
            pending_changes=item.get("pendingChange") or {},
        )

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
