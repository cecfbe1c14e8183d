"""Users: the own profile, other people's public one, and search by name."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from contract import channels, events, limits
from contract.limits import SEARCH_RATE
from contract.models import Profile, PublicUser
from contract.requests import SearchUsers, UpdateProfile
from contract.responses import UserAnswer
from handlers.core.conversations.ports import BlockPairs, ConversationRows
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.outbox import outbox_record
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.shared.concurrency import both
from handlers.core.shared.errors import (
    InvalidRequestError,
    NotFoundError,
    TooManyRequestsError,
    UnauthenticatedError,
    UnavailableError,
)
from handlers.core.shared.ports import Clock, Ids, RateCounter
from handlers.core.shared.retry import attempts
from handlers.core.shared.timestamps import from_iso, to_iso
from handlers.core.shared.timing import stage
from handlers.core.users import profile_rules
from handlers.core.users.ports import Identities, ProfileStore

HITS_EXAMINED = 1_000
"""Users of one first word that a search looks at before it answers with what it has."""


class UserProfiles(msgspec.Struct, frozen=True, kw_only=True):
    """The operations on profiles."""

    store: ProfileStore
    conversations: ConversationRows
    blocks: BlockPairs
    identities: Identities
    rates: RateCounter
    dispatcher: Dispatcher
    clock: Clock
    ids: Ids
    fanout_limit: int

    def me(self, caller: str, access_token: str) -> Profile:
        """Return the caller's profile; make it from Cognito's answer where sign-up did not.

        Raises:
            UnauthenticatedError: Cognito does not accept the token any more, or it is somebody else's.
            UnavailableError: Cognito does not answer.
        """
        with stage("read"):
            profile = self.store.get(caller)
        if profile is not None:
            return profile
        with stage("identity"):
            account = self.identities.account(access_token)
        if account.user_id != caller:
            raise UnauthenticatedError("the access token belongs to somebody else")
        profile = profile_rules.first_profile(account, to_iso(self.clock.now()))
        with stage("write"):
            if self.store.create(profile):
                return profile
            existing = self.store.get(caller)
        if existing is None:
            raise UnavailableError("the profile is being made just now; try again")
        return existing

    def update(self, caller: str, request: UpdateProfile) -> Profile:
        """Change the caller's profile and tell everybody who shares a conversation with the caller.

        Raises:
            NotFoundError: the caller has no profile yet.
            InvalidRequestError: the first name is blank.
        """
        for _ in attempts(self.clock):
            with stage("read"):
                before, others = both(lambda: self.store.get(caller), lambda: self._acquaintances(caller))
            if before is None:
                raise NotFoundError("you have no profile yet: read it once to make it")
            after = profile_rules.updated(before, request)
            if after == before:
                return before
            millis = self.clock.now()
            now = to_iso(max(millis, from_iso(before.updatedAt) + 1 if before.updatedAt else 0))
            after = replace(after, updatedAt=now)
            outbox = self._outbox(after, [caller, *others], millis)
            with stage("write"):
                done = self.store.update(before, after, outbox)
            if done:
                for record in outbox:
                    self.dispatcher.dispatch(record)
                return after
        raise UnavailableError("your profile changes too often just now; nothing was stored; try again")

    def one(self, caller: str, user_id: str) -> UserAnswer:
        """Return the public part of a profile.

        Raises:
            NotFoundError: no such user.
        """
        with stage("read"):
            profile, blocks = both(lambda: self.store.get(user_id), lambda: self.blocks.between(caller, user_id))
        if profile is None:
            raise NotFoundError("no such user", field="userId")
        return UserAnswer(
            user=profile_rules.public(profile), isOwnProfile=user_id == caller, isBlocked=blocks[caller, user_id]
        )

    def search(self, caller: str, request: SearchUsers) -> list[PublicUser]:
        """Find users besides the caller of whose names each word of the query begins a word.

        Case, accents and apostrophes do not matter.

        Raises:
            InvalidRequestError: no word of the query has two letters.
            TooManyRequestsError: too many searches.
        """
        wanted = profile_rules.words(request.q)
        longest = max(wanted, key=len, default="")
        if len(longest) < limits.SEARCH_PREFIX_CHARACTERS:
            raise InvalidRequestError(
                f"a search needs a word of at least {limits.SEARCH_PREFIX_CHARACTERS} letters", field="q"
            )
        now = self.clock.now()
        with stage("search"):
            counted, found = both(
                lambda: self.rates.count(caller, SEARCH_RATE, now),
                lambda: self._hits(caller, longest, wanted, request.limit),
            )
        if not counted:
            raise TooManyRequestsError("too many searches", retry_after=SEARCH_RATE.retry_after(now / 1000))
        with stage("read"):
            users = self.store.users(found)
        return [users[user_id] for user_id in found if user_id in users]

    def _hits(self, caller: str, longest: str, wanted: tuple[str, ...], limit: int) -> list[str]:
        found: dict[str, None] = {}
        for number, hit in enumerate(self.store.search(longest), start=1):
            if hit.user_id != caller and profile_rules.matches(hit.full_name, wanted):
                found[hit.user_id] = None
            if len(found) == limit or number == HITS_EXAMINED:
                break
        return list(found)

    def _acquaintances(self, caller: str) -> list[str]:
        """Return everybody who shares a conversation with the caller."""
        rows = [row.conversation_id for row in self.conversations.memberships(caller)]
        shared = (stored.conversation.participants for stored in self.conversations.get_many(rows).values())
        everybody = {user_id for participants in shared if caller in participants for user_id in participants}
        return sorted(everybody - {caller})

    def _outbox(self, profile: Profile, recipients: list[str], now: int) -> tuple[OutboxRecord, ...]:
        """Return the events of a change, each small enough to be stored as one item."""
        size = limits.RECORD_RECIPIENTS_MAX
        reached = recipients[: size * limits.RECORDS_PER_CHANGE_MAX]
        return tuple(
            outbox_record(
                channels.USERS,
                events.UserUpdated(
                    eventId=self.ids.new(),
                    timestamp=profile.updatedAt,
                    data=events.UserUpdatedData(user=profile_rules.public(profile)),
                ),
                reached[start : start + size],
                now=now,
                fanout_limit=self.fanout_limit,
            )
            for start in range(0, len(reached), size)
        )
