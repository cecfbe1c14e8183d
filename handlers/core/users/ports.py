"""What the rules of users need from the store and from Cognito."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import msgspec

from contract.models import Profile
from handlers.core.conversations.ports import BlockPairs, Directory, StoredConversation
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.users.profile_rules import Account


class Identities(Protocol):
    """Cognito's answer to who somebody is."""

    def account(self, access_token: str) -> Account:
        """Return the account of an access token's owner.

        Raises:
            UnauthenticatedError: the token is no longer valid.
            UnavailableError: Cognito does not answer.
        """
        ...


class SearchHit(msgspec.Struct, frozen=True):
    """A user found by one word of the name."""

    user_id: str
    full_name: str


class ProfileStore(Directory, Protocol):
    """The users' profiles and the words by which they are found."""

    def get(self, user_id: str) -> Profile | None:
        """Read one profile consistently."""
        ...

    def create(self, profile: Profile) -> bool:
        """Store a new profile with its search words; return False where there is one already."""
        ...

    def update(self, before: Profile, after: Profile, outbox: tuple[OutboxRecord, ...]) -> bool:
        """Store a changed profile with its search words and events; return False where somebody was faster."""
        ...

    def search(self, prefix: str) -> Iterable[SearchHit]:
        """Yield the users of whose names a word begins with a folded prefix of at least two letters."""
        ...


class BlockChange(msgspec.Struct, frozen=True, kw_only=True):
    """A block or its end, to be stored at once.

    Args:
        who, whom: who blocks whom.
        stands: whether the block stands afterwards; it must not have before.
        conversation_id: id of the two users' direct conversation.
        known: that conversation as read; None if there was none. It must still be so.
        reveal: the conversation comes into the list of `who`, from which it was hidden.
        now: ISO date.
    """

    who: str
    whom: str
    stands: bool
    conversation_id: str
    known: StoredConversation | None
    reveal: bool
    now: str
    outbox: tuple[OutboxRecord, ...]


class BlockStore(BlockPairs, Protocol):
    """Who has blocked whom, read and written."""

    def blocked_by(self, user_id: str) -> list[str]:
        """Return the users whom one user has blocked, read consistently."""
        ...

    def count(self, user_id: str) -> int:
        """Return how many users one user has blocked."""
        ...

    def change(self, change: BlockChange) -> bool:
        """Store a change; return False where the block or the conversation has changed meanwhile."""
        ...
