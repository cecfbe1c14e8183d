"""Ends the person's memberships: groups are left, direct conversations stay for the other participant."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

from contract import tables
from handlers.adapters.dynamodb.blocks import DynamoBlockReader
from handlers.adapters.dynamodb.conversations.store import DynamoConversationStore
from handlers.adapters.dynamodb.rate_limits import DynamoRateCounter
from handlers.core.conversations.events import ConversationEvents
from handlers.core.conversations.groups import GroupManager
from handlers.core.conversations.invitations import GroupInvitations
from handlers.core.shared.rates import UserRates
from ops.data.erase.person import FANOUT, Person, WorkList
from ops.data.table_access import key_of


class MembershipErasure:
    """Ends the memberships of one person."""

    def __init__(self, person: Person) -> None:
        self._person = person

    @cached_property
    def _groups(self) -> GroupManager:
        person, table = self._person, self._person.table
        store = DynamoConversationStore(
            client=person.client,
            conversations=table(tables.CONVERSATIONS),
            counters=table(tables.CONVERSATION_COUNTERS),
            members_table=table(tables.CONVERSATION_MEMBERS),
            messages=table(tables.MESSAGES),
            groups=table(tables.GROUPS),
            blocks=table(tables.BLOCKS),
            outbox=table(tables.OUTBOX),
        )
        blocks = DynamoBlockReader(client=person.client, blocks=table(tables.BLOCKS))
        rates = UserRates(DynamoRateCounter(person.client, table(tables.RATE_LIMITS)), person.clock)
        return GroupManager(
            conversations=store,
            invitations=GroupInvitations(conversations=store, directory=person.directory, blocks=blocks, rates=rates),
            dispatcher=person.dispatcher,
            clock=person.clock,
            ids=person.ids,
            events=ConversationEvents(person.clock, person.ids, FANOUT),
        )

    def groups(self) -> WorkList:
        """Yield the departure from each group: a new channel, and a new admin where the person was the last one."""
        for item in self._listed():
            if item.get("type") == "GROUP":
                yield partial(self._leave, item)

    def direct(self) -> WorkList:
        """Yield the removal of each membership item, and of what a direct conversation shows of the person."""
        for item in self._listed():
            if item.get("type") != "GROUP" and ("name" in item or self._person.user_id in item.get("blockedBy", ())):
                yield partial(self._clean_direct, item)
        for item in self._person.live.query(tables.CONVERSATION_MEMBERS, self._person.user_id):
            key = key_of(tables.CONVERSATION_MEMBERS, item)
            yield partial(self._person.live.delete, tables.CONVERSATION_MEMBERS, key)

    def previews(self) -> WorkList:
        """Yield the removal of each preview of a message of the person."""
        condition = "lastMessage.senderId = :user AND attribute_exists(lastMessage.#preview)"
        for item in self._person.live.scan(tables.CONVERSATIONS, condition, user=self._person.user_id):
            yield partial(
                self._person.live.update,
                tables.CONVERSATIONS,
                key_of(tables.CONVERSATIONS, item),
                "SET lastMessage.#deleted = :true REMOVE lastMessage.#preview",
                "lastMessage.senderId = :user",
                user=self._person.user_id,
                true=True,
            )

    def _listed(self) -> list[dict[str, Any]]:
        found = self._person.live.scan(tables.CONVERSATIONS, "contains(participants, :user)", user=self._person.user_id)
        return list(found)

    def _leave(self, item: dict[str, Any]) -> None:
        user_id, conversation_id = self._person.user_id, item["conversationId"]
        if user_id in (item.get("hiddenMembers") or {}):
            self._groups.remove(item["admins"][0], conversation_id, user_id)
        else:
            self._groups.leave(user_id, conversation_id)

    def _clean_direct(self, item: dict[str, Any]) -> None:
        """Remove the person's block, and the name that the old application stored in the conversation."""
        self._person.live.update(
            tables.CONVERSATIONS,
            key_of(tables.CONVERSATIONS, item),
            "REMOVE #name DELETE blockedBy :user",
            "attribute_exists(conversationId)",
            user=frozenset({self._person.user_id}),
        )
