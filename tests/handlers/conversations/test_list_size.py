"""Pages of the list fit Lambda's limit, also with 100 of the largest groups, and no conversation is skipped."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from contract import limits
from contract.calls.models import CallParticipant, CallView
from contract.calls.responses import CallPage
from contract.models import Conversation
from contract.requests import ListConversations
from handlers.core.conversations.ports import Membership, StoredConversation
from handlers.core.conversations.queries import ConversationQueries
from handlers.core.shared.sizes import response_bytes

LAMBDA_RESPONSE_BYTES = 6 * 1024 * 1024
"""Lambda quotas: payload of a synchronous invocation."""
USERS = [f"00000000-0000-4000-8000-{number:012}" for number in range(limits.GROUP_MEMBERS_MAX)]
EMOJI = "\N{GRINNING FACE}"


class LargeGroups:
    """A store and directory of 100 groups whose members are all admins."""

    ids = [f"group-{number:03}" for number in range(limits.CONVERSATIONS_PAGE_MAX)]

    def memberships(self, user_id: str) -> list[Membership]:
        return [
            Membership(user_id=user_id, conversation_id=each, role="ADMIN", type="GROUP", joined_at="")
            for each in self.ids
        ]

    def get_many(self, conversation_ids: Collection[str]) -> Mapping[str, StoredConversation]:
        return {each: StoredConversation(self._group(each)) for each in conversation_ids}

    def names(self, user_ids: Collection[str]) -> Mapping[str, str]:
        return dict.fromkeys(user_ids, EMOJI * limits.NAME_CHARACTERS * 2)

    def _group(self, conversation_id: str) -> Conversation:
        return Conversation(
            conversationId=conversation_id,
            type="GROUP",
            participants=USERS,
            admins=USERS,
            createdBy=USERS[0],
            createdAt="2026-01-01T00:00:00.000Z",
            updatedAt="2026-01-01T00:00:00.000Z",
            version=1,
            name=EMOJI * limits.GROUP_NAME_CHARACTERS,
            description=EMOJI * limits.DESCRIPTION_CHARACTERS,
        )


def test_pages_of_the_largest_groups_fit_and_skip_none() -> None:
    groups: Any = LargeGroups()
    queries = ConversationQueries(groups, groups)
    seen: list[str] = []
    cursor: str | None = None
    while True:
        request = ListConversations(limit=limits.CONVERSATIONS_PAGE_MAX, cursor=cursor)
        page = queries.page(USERS[0], request)
        assert response_bytes(page) < LAMBDA_RESPONSE_BYTES
        seen += [view.conversationId for view in page.conversations]
        cursor = page.nextCursor
        if cursor is None:
            break
    assert seen == sorted(LargeGroups.ids, reverse=True)


def test_the_largest_page_of_calls_fits() -> None:
    participant = CallParticipant(
        userId=USERS[0],
        name=EMOJI * (2 * limits.NAME_CHARACTERS + 1),
        status="JOINED",
        joinedAt="2026-01-01T00:00:00.000Z",
        leftAt="2026-01-01T00:00:00.000Z",
    )
    call = msgspec.convert(
        {
            "sessionId": USERS[0],
            "version": 10**9,
            "status": "ACTIVE",
            "callType": "GROUP",
            "mediaType": "VIDEO",
            "initiatedBy": USERS[0],
            "ownerId": USERS[0],
            "conversationId": USERS[0],
            "participants": [msgspec.to_builtins(participant)] * limits.CALL_PARTICIPANTS_MAX,
            "createdAt": "2026-01-01T00:00:00.000Z",
            "ringsUntil": "2026-01-01T00:00:00.000Z",
        },
        CallView,
    )
    assert response_bytes(CallPage(calls=[call] * limits.CALLS_PAGE_MAX)) < LAMBDA_RESPONSE_BYTES
