"""Makes the person's profile anonymous, and removes it from the search, the blocks and the lists of calls."""

from __future__ import annotations

from functools import partial

from contract import tables
from contract.requests import UpdateProfile
from handlers.adapters.cognito.identity_provider import CognitoIdentityProvider
from handlers.adapters.dynamodb.blocks import DynamoBlockReader
from handlers.adapters.dynamodb.conversations.rows import DynamoConversationRows
from handlers.adapters.dynamodb.users import DynamoProfileStore
from handlers.core.users.profiles import UserProfiles
from ops.data.erase.person import FANOUT, FIRST_NAME, FORMER, LAST_NAME, Person, WorkList
from ops.data.erasures import iso_now
from ops.data.table_access import key_of

_OWN_TABLES = (tables.BLOCKS, tables.USER_CALLS, tables.CALL_LOCKS)
"""Tables whose partition key is the user id, and whose items belong to that user alone."""


class ProfileErasure:
    """Erases the profile of one person, and the items that belong to the person alone."""

    def __init__(self, person: Person) -> None:
        self._person = person

    def profile(self) -> WorkList:
        """Yield the change of the profile, which is published to the users who share a conversation."""
        item = self._person.live.get(tables.USERS, userId=self._person.user_id)
        if item is not None and (item.get("fullName") != FORMER or "email" in item or "disabledAt" not in item):
            yield self._anonymise

    def _anonymise(self) -> None:
        person = self._person
        self._profiles().update(
            person.user_id,
            UpdateProfile(
                firstName=FIRST_NAME,
                lastName=LAST_NAME,
                profilePicture=None,
                major=None,
                year=None,
                bio=None,
                interests=[],
                portfolioUrl=None,
            ),
        )
        person.live.update(
            tables.USERS,
            {"userId": person.user_id},
            "SET emailVerified = :false, disabledAt = if_not_exists(disabledAt, :now) REMOVE email",
            "attribute_exists(userId)",
            false=False,
            now=iso_now(),
        )

    def _profiles(self) -> UserProfiles:
        person, table = self._person, self._person.table
        return UserProfiles(
            store=DynamoProfileStore(
                client=person.client,
                users_table=table(tables.USERS),
                search_table=table(tables.USER_SEARCH),
                outbox=table(tables.OUTBOX),
            ),
            conversations=DynamoConversationRows(
                client=person.client,
                conversations=table(tables.CONVERSATIONS),
                members_table=table(tables.CONVERSATION_MEMBERS),
            ),
            blocks=DynamoBlockReader(client=person.client, blocks=table(tables.BLOCKS)),
            identity_provider=CognitoIdentityProvider(lambda: None),
            dispatcher=person.dispatcher,
            clock=person.clock,
            ids=person.ids,
            fanout_limit=FANOUT,
        )

    def search(self) -> WorkList:
        """Yield the removal of each word by which the person is found."""
        for item in self._person.live.scan(tables.USER_SEARCH, "userId = :user", user=self._person.user_id):
            yield partial(self._person.live.delete, tables.USER_SEARCH, key_of(tables.USER_SEARCH, item))

    def own_items(self) -> WorkList:
        """Yield the removal of the person's blocks, list of calls, lock, tempIds and rate limits."""
        live, user_id = self._person.live, self._person.user_id
        for table in _OWN_TABLES:
            for item in live.query(table, user_id):
                yield partial(live.delete, table, key_of(table, item))
        for table in (tables.IDEMPOTENCY, tables.RATE_LIMITS):
            for item in live.scan(table, "begins_with(id, :user)", user=f"{user_id}#"):
                yield partial(live.delete, table, key_of(table, item))
