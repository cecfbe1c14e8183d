"""The ports of conversations: stores of conversations, user names and blocks, and the records they exchange."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

import msgspec

from contract.models import Conversation, ConversationType, LastMessage, PublicUser, Role
from handlers.core.delivery.ports import OutboxRecord


class StoredConversation(msgspec.Struct, frozen=True):
    """A conversation as stored: with its real version and, in a DM, the participants who blocked the other."""

    conversation: Conversation
    blocked_by: frozenset[str] = frozenset()

    def public(self) -> Conversation:
        """Return the conversation for its participants.

        A DM always shows version 1: only blocks increase its stored version, which would reveal them to the blocked
        user.
        """
        if self.conversation.type == "DM":
            return msgspec.structs.replace(self.conversation, version=1)
        return self.conversation


class Membership(msgspec.Struct, frozen=True, kw_only=True):
    """One user's membership in one conversation: one item of the table ConversationMembers."""

    user_id: str
    conversation_id: str
    role: Role
    type: ConversationType
    joined_at: str
    last_read_seq: int = 0
    hidden: bool = False
    has_hidden: bool = False


class GroupRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The attributes of a group besides its conversation. `max_members` is 0 where only the general limit applies."""

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
    """The part of a DM that one user may see: its newest visible message and the number of unread visible ones."""

    last_message: LastMessage | None
    unread_count: int


class NewConversation(msgspec.Struct, frozen=True, kw_only=True):
    """A new conversation, stored in one transaction and only if its id is not in use.

    `blocks` are the blocks as read, from (blocker, blocked) to whether the block is active. The transaction fails if
    one of them has changed.
    """

    conversation: Conversation
    members: tuple[Membership, ...]
    outbox: tuple[OutboxRecord, ...]
    blocked_by: frozenset[str] = frozenset()
    blocks: Mapping[tuple[str, str], bool] = msgspec.field(default_factory=dict)
    group: GroupRecord | None = None


class GroupChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a group, stored in one transaction and only if the version is still that of `before`.

    `counted` is true where the number of members must be stored too.
    """

    before: Conversation
    after: Conversation
    joined: tuple[Membership, ...] = ()
    left: tuple[str, ...] = ()
    roles: Mapping[str, Role] = msgspec.field(default_factory=dict)
    counted: bool = True
    outbox: tuple[OutboxRecord, ...] = ()


class ConversationRows(Protocol):
    """Reads conversations and memberships. Every read is strongly consistent."""

    def get(self, conversation_id: str) -> StoredConversation | None:
        """Read one conversation."""
        ...

    def get_many(self, conversation_ids: Collection[str]) -> Mapping[str, StoredConversation]:
        """Read many conversations; those that do not exist are left out."""
        ...

    def memberships(self, user_id: str) -> list[Membership]:
        """Read all memberships of one user."""
        ...

    def count_memberships(self, user_id: str) -> int:
        """Return the number of memberships of one user."""
        ...

    def members(self, conversation_id: str, user_ids: Collection[str]) -> Mapping[str, Membership]:
        """Read the memberships of some users in one conversation; those that do not exist are left out."""
        ...


class ConversationStore(ConversationRows, Protocol):
    """Reads and writes conversations, memberships and groups. Every read is strongly consistent."""

    def visible(self, conversation_id: str, user_id: str, after_seq: int) -> VisibleMessages:
        """Read the messages of a DM that one user may see; count those above a sequence number as unread."""
        ...

    def group(self, group_id: str) -> GroupRecord | None:
        """Read the attributes of a group besides its conversation."""
        ...

    def create(self, creation: NewConversation) -> bool:
        """Store a new conversation; return False where its id is in use or a block has changed."""
        ...

    def change(self, change: GroupChange) -> bool:
        """Store a change; return False where the conversation has changed since it was read."""
        ...


class UserDirectory(Protocol):
    """Reads public profiles and names of users."""

    def users(self, user_ids: Collection[str]) -> Mapping[str, PublicUser]:
        """Read the public profiles of some users; those that do not exist are left out."""
        ...

    def names(self, user_ids: Collection[str]) -> Mapping[str, str]:
        """Read the full names of some users; those that do not exist are left out."""
        ...


class BlockReader(Protocol):
    """Reads blocks."""

    def blockers(self, user_id: str, others: Collection[str]) -> Collection[str]:
        """Return those of some users who have blocked a user, read strongly consistently."""
        ...

    def between(self, first: str, second: str) -> Mapping[tuple[str, str], bool]:
        """Return for both directions (blocker, blocked) whether the block is active, read strongly consistently."""
        ...
