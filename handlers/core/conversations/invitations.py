"""Checks the users whom a user adds to a group.

A user who has blocked the caller is added as a hidden member (`ports.HiddenMember`): the caller gets the same answer as
without a block, and the group does not exist for that user. So a block also holds in groups made afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec

from contract import limits
from handlers.core.conversations.ports import BlockReader, ConversationStore, UserDirectory
from handlers.core.shared.concurrency import each
from handlers.core.shared.errors import ConflictError, NotFoundError
from handlers.core.shared.rates import UserRates


class Invited(msgspec.Struct, frozen=True):
    """Users who may be added.

    Args:
        blockers: those of them who have blocked the caller.
        blocked_version: the caller and the version of the blocks against the caller, on which the addition rests.
    """

    blockers: frozenset[str]
    blocked_version: tuple[str, int]


class GroupInvitations(msgspec.Struct, frozen=True, kw_only=True):
    """Checks users before they are added to a group."""

    conversations: ConversationStore
    directory: UserDirectory
    blocks: BlockReader
    rates: UserRates

    def require_users(self, user_ids: Sequence[str], field: str) -> None:
        """Refuse users who do not exist, or whose account is disabled.

        Args:
            field: the request's field with the user ids.

        Raises:
            NotFoundError: there is no such user.
        """
        known = self.directory.active(user_ids) if user_ids else ()
        missing = [user_id for user_id in user_ids if user_id not in known]
        if missing:
            raise NotFoundError(f"{field} contains unknown users: {', '.join(missing)}", field=field)

    def require_free_membership(self, caller: str) -> None:
        """Refuse a caller who is in too many conversations.

        Raises:
            ConflictError: the caller is in the largest number of conversations.
        """
        most = limits.CONVERSATIONS_PER_USER
        if self.conversations.count_memberships(caller) >= most:
            raise ConflictError(f"you are in {most} conversations, the largest number allowed")

    def require_available(self, caller: str, user_ids: Sequence[str]) -> None:
        """Refuse users whom the caller cannot add at present.

        They are in too many conversations, or the caller has added them to too many groups today. Users who have
        blocked the caller are counted like the others, so that the refusal does not show a block. Concurrent additions
        may exceed the number of conversations slightly.

        Raises:
            ConflictError: a user cannot be added at present.
        """
        counts = each(self.conversations.count_memberships, user_ids)
        allowed = each(partial(self.rates.allows, caller, limits.INVITATION_RATE), user_ids)
        for user_id, count, is_allowed in zip(user_ids, counts, allowed, strict=True):
            if count >= limits.CONVERSATIONS_PER_USER or not is_allowed:
                raise ConflictError(f"the user {user_id} cannot be added at present")

    def invited(self, caller: str, user_ids: Sequence[str]) -> Invited:
        """Read which users have blocked the caller: two reads, whatever the number of blocks.

        The version is read first: a block that the second read misses changes it before the addition is stored.
        """
        version = self.blocks.version(caller)
        blockers = self.blocks.blockers(caller, user_ids) if user_ids else ()
        return Invited(frozenset(blockers), (caller, version))
