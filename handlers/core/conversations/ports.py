"""The ports of conversations: stores of conversations, user names and blocks, and the records they exchange."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

import msgspec

from contract.models import Conversation, ConversationType, LastMessage, PublicUser, Role
from handlers.core.delivery.ports import OutboxRecord


class HiddenMember(msgspec.Struct, frozen=True, kw_only=True):
    """A participant of a group who had blocked the user who added them, with what other participants see of them.

    The participant is listed like the others, so that the block does not show, but is no member: the group does not
    exist for this user.
    """

    joined_at: str
    last_read_seq: int = 0


class StoredConversation(msgspec.Struct, frozen=True):
    """A conversation as stored: with its real version and, in a DM, the participants who blocked the other.

    Args:
        hidden_members: of a group, by user id; all of them are among the conversation's participants.
    """

    conversation: Conversation
    blocked_by: frozenset[str] = frozenset()
    hidden_members: Mapping[str, HiddenMember] = msgspec.field(default_factory=dict)

    @property
    def members(self) -> list[str]:
        """Return the participants who may read and write, and who receive events."""
        return [user_id for user_id in self.conversation.participants if user_id not in self.hidden_members]

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

    Args:
        blocks: the blocks as read, from (blocker, blocked) to whether the block is active. The transaction fails if one
            of them has changed.
        blocked_version: a user and the version of the blocks against this user (`BlockReader.version`), where the
            transaction must fail if it has changed.
        hidden_members: participants for whom a new group is hidden.
        channel_epoch: last segment of a group's channel.
    """

    conversation: Conversation
    members: tuple[Membership, ...]
    outbox: tuple[OutboxRecord, ...]
    blocked_by: frozenset[str] = frozenset()
    blocks: Mapping[tuple[str, str], bool] = msgspec.field(default_factory=dict)
    blocked_version: tuple[str, int] | None = None
    hidden_members: Mapping[str, HiddenMember] = msgspec.field(default_factory=dict)
    group: GroupRecord | None = None
    channel_epoch: str | None = None


class GroupChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a group, stored in one transaction and only if the version is still that of `before`.

    Args:
        hidden_members: participants for whom the group is hidden, after the change.
        counted: the number of participants must be stored too.
        channel_epoch: a new last segment of the group's channel; None where it does not change.
        blocked_version: as of `NewConversation`.
    """

    before: Conversation
    after: Conversation
    joined: tuple[Membership, ...] = ()
    left: tuple[str, ...] = ()
    roles: Mapping[str, Role] = msgspec.field(default_factory=dict)
    hidden_members: Mapping[str, HiddenMember] = msgspec.field(default_factory=dict)
    counted: bool = True
    channel_epoch: str | None = None
    blocked_version: tuple[str, int] | None = None
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
        """Read the public profiles of some users; those that do not exist or are disabled are left out."""
        ...

    def active(self, user_ids: Collection[str]) -> Collection[str]:
        """Return those of some users who exist and are not disabled."""
        ...

    def names(self, user_ids: Collection[str]) -> Mapping[str, str]:
        """Read the full names of some users, also of disabled ones; those that do not exist are left out."""
        ...


class BlockReader(Protocol):
    """Reads blocks."""

    def blockers(self, user_id: str, others: Collection[str]) -> Collection[str]:
        """Return those of some users who have blocked a user, read strongly consistently."""
        ...

    def version(self, user_id: str) -> int:
        """Return a number that each block and unblock of a user increases, read strongly consistently; 0 at first.

        A transaction that is conditional on it rests on all blocks against the user as they were read after it.
        """
        ...

    def between(self, first: str, second: str) -> Mapping[tuple[str, str], bool]:
        """Return for both directions (blocker, blocked) whether the block is active, read strongly consistently."""
        ...
