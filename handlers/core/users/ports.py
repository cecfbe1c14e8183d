"""The ports of users: stores of profiles and blocks, the identity provider, and the records they exchange."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from contract.models import Profile
from handlers.core.conversations.ports import BlockReader, StoredConversation, UserDirectory
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.users.profile_rules import Account


class IdentityProvider(Protocol):
    """The service that issues access tokens (Cognito)."""

    def account(self, access_token: str) -> Account:
        """Return the account to which an access token belongs.

        Raises:
            UnauthenticatedError: the token is not valid.
            ForbiddenError: the token lacks the scope that the service requires; a new sign-in would not help.
            UnavailableError: the service does not respond.
        """
        ...


class SearchHit(msgspec.Struct, frozen=True):
    """A user found by one word of the full name."""

    user_id: str
    full_name: str


class ProfileStore(UserDirectory, Protocol):
    """Reads, writes and searches profiles."""

    def get(self, user_id: str) -> Profile | None:
        """Read one profile, strongly consistently."""
        ...

    def create(self, profile: Profile) -> bool:
        """Store a new profile with its search words; return False where the user already has one."""
        ...

    def update(self, before: Profile, after: Profile, outbox: tuple[OutboxRecord, ...]) -> bool:
        """Store a changed profile with its search words and events; return False where `before` is outdated."""
        ...

    def search(self, prefix: str) -> Iterable[SearchHit]:
        """Yield the users with a name in which a word begins with a folded prefix of at least two letters."""
        ...


class BlockChange(msgspec.Struct, frozen=True, kw_only=True):
    """A block or the removal of a block, stored in one transaction.

    Args:
        blocker: the user who blocks.
        blocked: the user who is blocked.
        active: whether the block is active after the change; before it, it must not be so.
        conversation_id: id of the two users' direct conversation.
        conversation: that conversation as read; None where there was none. The transaction fails if it has changed.
        reveal: the conversation becomes visible in the blocker's list, from which it was hidden.
        now: ISO date.
        outbox: the events of the change.
    """

    blocker: str
    blocked: str
    active: bool
    conversation_id: str
    conversation: StoredConversation | None
    reveal: bool
    now: str
    outbox: tuple[OutboxRecord, ...]


class BlockStore(BlockReader, Protocol):
    """Reads and writes blocks."""

    def blocked_by(self, user_id: str) -> list[str]:
        """Return the users whom one user has blocked, read strongly consistently."""
        ...

    def count(self, user_id: str) -> int:
        """Return the number of users whom one user has blocked."""
        ...

    def change(self, change: BlockChange) -> bool:
        """Store a change; return False where the block or the conversation has changed since it was read."""
        ...
