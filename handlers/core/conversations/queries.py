"""Reads the list of conversations, and one conversation."""

from __future__ import annotations

import msgspec

from contract.models import Member
from contract.requests import ListConversations
from contract.responses import ConversationAnswer, ConversationPage
from handlers.core.conversations.membership import require_participant
from handlers.core.conversations.ports import ConversationStore, Membership, StoredConversation, UserDirectory
from handlers.core.conversations.views import (
    ParticipantView,
    conversation_view,
    named_participants,
    participant_view,
)
from handlers.core.shared import cursors
from handlers.core.shared.concurrency import each
from handlers.core.shared.errors import ForbiddenError, NotFoundError
from handlers.core.shared.sizes import fitting
from handlers.core.shared.timing import stage

MEMBERS_SHOWN = 100
"""Members in the response for one conversation."""


class ConversationQueries(msgspec.Struct, frozen=True):
    """Reads conversations for a participant."""

    conversations: ConversationStore
    directory: UserDirectory

    def page(self, caller: str, request: ListConversations) -> ConversationPage:
        """List the caller's conversations, sorted by newest visible message.

        Every page reads all conversations, so that the order is exact even if they change between two pages: a
        conversation that moves up is listed again, and none is skipped. A page with many large groups may be shorter
        than `limit`, so that it fits one response.

        Raises:
            InvalidRequestError: the cursor is not one of this route.
        """
        below = cursors.decode(request.cursor, tuple[str, str]) if request.cursor else None
        with stage("read"):
            everything = sorted(self._all(caller), key=lambda visible: visible.position, reverse=True)
        remaining = [visible for visible in everything if below is None or visible.position < below]
        listed = remaining[: request.limit]
        with stage("names"):
            named = {user_id for visible in listed for user_id in named_participants(visible.conversation)}
            names = self.directory.names(named)
        views = [conversation_view(visible, caller, names) for visible in listed]
        views = views[: fitting(views)]
        cursor = cursors.encode(listed[len(views) - 1].position) if len(remaining) > len(views) else None
        return ConversationPage(conversations=views, nextCursor=cursor)

    def get(self, caller: str, conversation_id: str) -> ConversationAnswer:
        """Return one conversation with its members and their read marks.

        Raises:
            NotFoundError: the conversation does not exist.
            ForbiddenError: the caller is not a participant.
        """
        with stage("read"):
            stored = self.conversations.get(conversation_id)
            if stored is None:
                raise NotFoundError("no such conversation", field="conversationId")
            participants = stored.conversation.participants
            require_participant(stored.conversation, caller)
            if caller in stored.hidden_members:
                raise ForbiddenError("you are not a participant of this conversation")
            listed = participants[:MEMBERS_SHOWN]
            memberships = self.conversations.members(conversation_id, {caller, *listed})
            visible = participant_view(self.conversations, stored, memberships.get(caller), caller)
        with stage("names"):
            names = self.directory.names(named_participants(stored.conversation))
        return ConversationAnswer(
            conversation=conversation_view(visible, caller, names),
            members=[_member(stored, user_id, memberships.get(user_id)) for user_id in listed],
        )

    def _all(self, caller: str) -> list[ParticipantView]:
        memberships = {
            membership.conversation_id: membership
            for membership in self.conversations.memberships(caller)
            if not membership.hidden
        }
        found = [
            (stored, memberships[stored.conversation.conversationId])
            for stored in self.conversations.get_many(memberships).values()
            if caller in stored.members
        ]

        def view(pair: tuple[StoredConversation, Membership]) -> ParticipantView:
            return participant_view(self.conversations, *pair, caller)

        without_hidden = [pair for pair in found if not pair[1].has_hidden]
        with_hidden = [pair for pair in found if pair[1].has_hidden]
        return [*map(view, without_hidden), *each(view, with_hidden)]


def _member(stored: StoredConversation, user_id: str, membership: Membership | None) -> Member:
    known = stored.hidden_members.get(user_id) or membership
    return Member(
        userId=user_id,
        role="ADMIN" if user_id in stored.conversation.admins else "MEMBER",
        joinedAt=known.joined_at if known else stored.conversation.createdAt,
        lastReadSeq=known.last_read_seq if known else 0,
    )
