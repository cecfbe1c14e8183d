"""Reading conversations: the list, and one of them."""

from __future__ import annotations

import msgspec

from contract.models import Member
from contract.requests import ListConversations
from contract.responses import ConversationAnswer, ConversationPage
from handlers.core.conversations.membership import require_participant
from handlers.core.conversations.ports import ConversationStore, Directory, Membership, StoredConversation
from handlers.core.conversations.views import ParticipantView, named, see, view
from handlers.core.shared import cursors
from handlers.core.shared.concurrency import each
from handlers.core.shared.errors import NotFoundError
from handlers.core.shared.timing import stage

MEMBERS_SHOWN = 100
"""Members that the answer for one conversation lists."""


class ConversationQueries(msgspec.Struct, frozen=True):
    """Reads conversations for one of their participants."""

    conversations: ConversationStore
    directory: Directory

    def page(self, caller: str, request: ListConversations) -> ConversationPage:
        """List the caller's conversations, newest visible message first.

        All of them are read, so that the order is exact however they change between two pages; a conversation
        that moves up meanwhile is shown again, none is skipped.

        Raises:
            InvalidRequestError: the cursor is none of this route's.
        """
        below = cursors.decode(request.cursor, tuple[str, str]) if request.cursor else None
        with stage("read"):
            everything = sorted(self._all(caller), key=lambda seen: seen.position, reverse=True)
        left = [seen for seen in everything if below is None or seen.position < below]
        shown = left[: request.limit]
        with stage("names"):
            names = self.directory.names({user_id for seen in shown for user_id in named(seen.conversation)})
        return ConversationPage(
            conversations=[view(seen, caller, names) for seen in shown],
            nextCursor=cursors.encode(shown[-1].position) if len(left) > len(shown) else None,
        )

    def one(self, caller: str, conversation_id: str) -> ConversationAnswer:
        """Return one conversation with its members and how far each has read.

        Raises:
            NotFoundError: no such conversation.
            ForbiddenError: the caller is not a participant.
        """
        with stage("read"):
            stored = self.conversations.get(conversation_id)
            if stored is None:
                raise NotFoundError("no such conversation", field="conversationId")
            participants = stored.conversation.participants
            require_participant(stored.conversation, caller)
            listed = participants[:MEMBERS_SHOWN]
            rows = self.conversations.members(conversation_id, {caller, *listed})
            seen = see(self.conversations, stored, rows.get(caller), caller)
        with stage("names"):
            names = self.directory.names(named(stored.conversation))
        return ConversationAnswer(
            conversation=view(seen, caller, names),
            members=[_member(stored, user_id, rows.get(user_id)) for user_id in listed],
        )

    def _all(self, caller: str) -> list[ParticipantView]:
        rows = {row.conversation_id: row for row in self.conversations.memberships(caller) if not row.hidden}
        found = [
            stored
            for stored in self.conversations.get_many(rows).values()
            if caller in stored.conversation.participants
        ]

        def look(stored: StoredConversation) -> ParticipantView:
            return see(self.conversations, stored, rows[stored.conversation.conversationId], caller)

        plain = [stored for stored in found if not rows[stored.conversation.conversationId].has_hidden]
        partly = [stored for stored in found if rows[stored.conversation.conversationId].has_hidden]
        return [*map(look, plain), *each(look, partly)]


def _member(stored: StoredConversation, user_id: str, row: Membership | None) -> Member:
    return Member(
        userId=user_id,
        role="ADMIN" if user_id in stored.conversation.admins else "MEMBER",
        joinedAt=row.joined_at if row else stored.conversation.createdAt,
        lastReadSeq=row.last_read_seq if row else 0,
    )
