"""A conversation as one participant sees it: its names, its preview, what is unread."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.structs import asdict, replace

from contract.models import Conversation, ConversationView
from handlers.core.conversations.ports import ConversationStore, Membership, StoredConversation

NAMED_PARTICIPANTS: Final = 20
"""Participants whose names a view has, besides the other one of a DM: enough for a title."""


class ParticipantView(msgspec.Struct, frozen=True):
    """A conversation as a participant may see it, before names: hidden messages neither show nor count."""

    conversation: Conversation
    unread_count: int
    last_read_seq: int

    @property
    def position(self) -> tuple[str, str]:
        """Return the place in the list: the newest visible message's timestamp, and the id where two are equal."""
        return self.conversation.lastMessageAt or self.conversation.createdAt, self.conversation.conversationId


def see(
    conversations: ConversationStore, stored: StoredConversation, member: Membership | None, user_id: str
) -> ParticipantView:
    """Return what a participant sees of a conversation.

    Args:
        conversations: asked only where some messages are hidden from the participant.
        stored: the conversation.
        member: the participant's row; None where the old application left none.
        user_id: the participant.
    """
    shown = stored.public()
    read = member.last_read_seq if member else 0
    if member is None or not member.has_hidden:
        return ParticipantView(shown, max(0, shown.latestSeq - read), read)
    visible = conversations.visible(shown.conversationId, user_id, read)
    newest = visible.last_message
    shown = replace(shown, lastMessage=newest, lastMessageAt=newest.timestamp if newest else None)
    return ParticipantView(shown, visible.unread_count, read)


def named(conversation: Conversation) -> list[str]:
    """Return the participants whose names a view of the conversation needs."""
    if conversation.type == "DM":
        return list(conversation.participants)
    return conversation.participants[:NAMED_PARTICIPANTS]


def view(seen: ParticipantView, user_id: str, names: Mapping[str, str]) -> ConversationView:
    """Return the conversation with names: a DM carries the other participant's.

    Args:
        seen: what the participant sees.
        user_id: the participant.
        names: full names by user id; a user without a profile is left out.
    """
    fields = asdict(seen.conversation)
    if seen.conversation.type == "DM":
        others = [each for each in seen.conversation.participants if each != user_id]
        fields["name"] = names.get(others[0]) if others else None
    shown = {each: names[each] for each in named(seen.conversation) if each in names}
    return ConversationView(
        **fields, unreadCount=seen.unread_count, lastReadSeq=seen.last_read_seq, participantNames=shown
    )
