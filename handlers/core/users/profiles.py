"""Reads and changes the caller's profile; reads the public profiles of other users."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from contract import channels, events, limits
from contract.models import Profile
from contract.requests import UpdateProfile
from contract.responses import UserAnswer
from handlers.core.conversations.ports import BlockReader, ConversationRows
from handlers.core.delivery.dispatcher import Dispatcher
from handlers.core.delivery.outbox import outbox_record
from handlers.core.delivery.ports import OutboxRecord
from handlers.core.shared.concurrency import both
from handlers.core.shared.errors import NotFoundError, UnauthenticatedError, UnavailableError
from handlers.core.shared.ports import Clock, Ids
from handlers.core.shared.retry import attempts
from handlers.core.shared.timestamps import from_iso, to_iso
from handlers.core.shared.timing import stage
from handlers.core.users import profile_rules
from handlers.core.users.ports import IdentityProvider, ProfileStore


class UserProfiles(msgspec.Struct, frozen=True, kw_only=True):
    """Reads and changes profiles."""

    store: ProfileStore
    conversations: ConversationRows
    blocks: BlockReader
    identity_provider: IdentityProvider
    dispatcher: Dispatcher
    clock: Clock
    ids: Ids
    fanout_limit: int

    def own(self, caller: str, access_token: str) -> Profile:
        """Return the caller's profile; create it from the account in Cognito where sign-up did not.

        Raises:
            UnauthenticatedError: Cognito refuses the token, or it belongs to another user.
            UnavailableError: Cognito does not respond.
        """
        with stage("read"):
            profile = self.store.get(caller)
        if profile is not None:
            return profile
        with stage("identity"):
            account = self.identity_provider.account(access_token)
        if account.user_id != caller:
            raise UnauthenticatedError("the access token belongs to another user")
        profile = profile_rules.first_profile(account, to_iso(self.clock.now()))
        with stage("write"):
            if self.store.create(profile):
                return profile
            existing = self.store.get(caller)
        if existing is None:
            raise UnavailableError("the profile was created concurrently and cannot be read yet; try again")
        return existing

    def update(self, caller: str, request: UpdateProfile) -> Profile:
        """Change the caller's profile and publish the change to users who share a conversation with the caller.

        The number of recipients is bounded; the others see the change when they next read the caller's name.

        Raises:
            NotFoundError: the caller has no profile yet.
            InvalidRequestError: the first name is blank.
        """
        for _ in attempts(self.clock):
            with stage("read"):
                before, others = both(lambda: self.store.get(caller), lambda: self._contacts(caller))
            if before is None:
                raise NotFoundError("you have no profile yet: getMe creates it")
            after = profile_rules.updated(before, request)
            if after == before:
                return before
            millis = self.clock.now()
            now = to_iso(max(millis, from_iso(before.updatedAt) + 1 if before.updatedAt else 0))
            after = replace(after, updatedAt=now)
            record = self._record(after, [caller, *others], millis)
            with stage("write"):
                done = self.store.update(before, after, (record,))
            if done:
                self.dispatcher.dispatch(record)
                return after
        raise UnavailableError("too many concurrent changes of your profile; nothing was stored; try again")

    def public(self, caller: str, user_id: str) -> UserAnswer:
        """Return a user's public profile, and whether the caller has blocked that user.

        Raises:
            NotFoundError: the user does not exist.
        """
        with stage("read"):
            profile, blocks = both(lambda: self.store.get(user_id), lambda: self.blocks.between(caller, user_id))
        if profile is None:
            raise NotFoundError("no such user", field="userId")
        return UserAnswer(
            user=profile_rules.public_user(profile), isOwnProfile=user_id == caller, isBlocked=blocks[caller, user_id]
        )

    def _contacts(self, caller: str) -> list[str]:
        """Return the users who share a conversation with the caller, at most `PROFILE_RECIPIENTS_MAX`.

        Users of direct conversations come first, the latest conversation before the others; then those of the smallest
        groups.
        """
        ids = [membership.conversation_id for membership in self.conversations.memberships(caller)]
        stored = [each.conversation for each in self.conversations.get_many(ids).values()]
        shared = [each for each in stored if caller in each.participants]
        shared.sort(key=lambda each: each.lastMessageAt or "", reverse=True)
        shared.sort(key=lambda each: len(each.participants))
        contacts = dict.fromkeys(user_id for each in shared for user_id in each.participants if user_id != caller)
        return list(contacts)[: limits.PROFILE_RECIPIENTS_MAX]

    def _record(self, profile: Profile, recipients: list[str], now: int) -> OutboxRecord:
        event = events.UserUpdated(
            eventId=self.ids.new(),
            timestamp=profile.updatedAt,
            data=events.UserUpdatedData(user=profile_rules.public_user(profile)),
        )
        return outbox_record(channels.USERS, event, recipients, now=now, fanout_limit=self.fanout_limit)
