"""What the rules of conversations need from the store, and the records they exchange with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

import msgspec

from contract.models import Conversation, ConversationType, LastMessage, PublicUser, Role
from handlers.core.delivery.ports import OutboxRecord


class StoredConversation(msgspec.Struct, frozen=True):
    """A conversation as stored: its real version, and (in a DM) the participants who blocked the other."""

    conversation: Conversation
    blocked_by: frozenset[str] = frozenset()

    def public(self) -> Conversation:
        """Return the conversation as its participants may see it.

        A DM always shows version 1: nothing that a participant may see ever raises it, and the stored version
        would tell a blocked user that it was blocked.
        """
        if self.conversation.type == "DM":
            return msgspec.structs.replace(self.conversation, version=1)
        return self.conversation


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """One user's row of one conversation."""

    user_id: str
    conversation_id: str
    role: Role
    type: ConversationType
    joined_at: str
    last_read_seq: int = 0
    hidden: bool = False
    has_hidden: bool = False


class GroupRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a group has beyond its conversation. `max_members` is 0 where the group has no limit of its own."""

    group_id: str
    created_at: str
    member_count: int
    class_code: str | None = None
    semester: str | None = None
    tags: tuple[str, ...] = ()
    is_public: bool = False
    require_approval: bool = True
    max_members: int = 0


class VisibleMessages(msgspec.Struct, frozen=True):
    """What one user may see of a DM with hidden messages: its newest visible message and the unread ones' number."""

    last_message: LastMessage | None
    unread_count: int


class NewConversation(msgspec.Struct, frozen=True, kw_only=True):
    """A new conversation, to be stored at once and only if there is none with its id.

    `blocks` are the blocks that the decision rests on: (who, whom) to whether it stands; they must still be so.
    """

    conversation: Conversation
    members: tuple[Membership, ...]
    outbox: tuple[OutboxRecord, ...]
    blocked_by: frozenset[str] = frozenset()
    blocks: Mapping[tuple[str, str], bool] = msgspec.field(default_factory=dict)
    group: GroupRecord | None = None


class GroupChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a group, to be stored at once and only if `before` is still its version."""

    before: Conversation
    after: Conversation
    joined: tuple[Membership, ...] = ()
    left: tuple[str, ...] = ()
    roles: Mapping[str, Role] = msgspec.field(default_factory=dict)
    counted: bool = True
    outbox: tuple[OutboxRecord, ...] = ()


class ConversationRows(Protocol):
    """Conversations and their members' rows. Every read is consistent."""

    def get(self, conversation_id: str) -> StoredConversation | None:
        """Read one conversation."""
        ...

    def get_many(self, conversation_ids: Collection[str]) -> Mapping[str, StoredConversation]:
        """Read many conversations at once; those that do not exist are left out."""
        ...

    def memberships(self, user_id: str) -> list[Membership]:
        """Read all rows of one user."""
        ...

    def count_memberships(self, user_id: str) -> int:
        """Return how many rows one user has."""
        ...

    def members(self, conversation_id: str, user_ids: Collection[str]) -> Mapping[str, Membership]:
        """Read the rows of some users of one conversation; those that do not exist are left out."""
        ...


class ConversationStore(ConversationRows, Protocol):
    """Conversations, their members' rows and groups, read and written. Every read is consistent."""

    def visible(self, conversation_id: str, user_id: str, after_seq: int) -> VisibleMessages:
        """Look at a DM's messages as one user may see them; count those above a number as unread."""
        ...

    def group(self, group_id: str) -> GroupRecord | None:
        """Read what a group has beyond its conversation."""
        ...

    def create(self, creation: NewConversation) -> bool:
        """Store a new conversation; return False where it exists already, or a block has changed."""
        ...

    def change(self, change: GroupChange) -> bool:
        """Store a change; return False where somebody else changed the conversation meanwhile."""
        ...


class Directory(Protocol):
    """Who the users are."""

    def users(self, user_ids: Collection[str]) -> Mapping[str, PublicUser]:
        """Read the public profiles of some users; those that do not exist are left out."""
        ...

    def names(self, user_ids: Collection[str]) -> Mapping[str, str]:
        """Read the full names of some users; those that do not exist are left out."""
        ...


class BlockPairs(Protocol):
    """Who has blocked whom."""

    def between(self, first: str, second: str) -> Mapping[tuple[str, str], bool]:
        """Return, for both directions (who, whom), whether the block stands. The read is consistent."""
        ...
