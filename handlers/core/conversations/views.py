"""A conversation for one participant: names, preview, unread count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec.structs import asdict, replace

from contract.models import Conversation, ConversationView
from handlers.core.conversations.ports import ConversationStore, Membership, StoredConversation

NAMED_PARTICIPANTS: Final = 20
"""Participants of a group whose names are in its view: enough for a title."""


class ParticipantView(msgspec.Struct, frozen=True):
    """A conversation for one participant, without names. Hidden messages are not shown and not counted."""

    conversation: Conversation
    unread_count: int
    last_read_seq: int

    @property
    def position(self) -> tuple[str, str]:
        """Return the sort key in the list: time of the newest visible message (else of the creation), then the id."""
        return self.conversation.lastMessageAt or self.conversation.createdAt, self.conversation.conversationId


def participant_view(
    conversations: ConversationStore, stored: StoredConversation, membership: Membership | None, user_id: str
) -> ParticipantView:
    """Return the part of a conversation that a participant may see.

    Args:
        conversations: read only where some messages are hidden from the participant.
        stored: the conversation.
        membership: the participant's membership; None for conversations of the old application, which stored none.
        user_id: the participant.
    """
    public = stored.public()
    read = membership.last_read_seq if membership else 0
    if membership is None or not membership.has_hidden:
        return ParticipantView(public, max(0, public.latestSeq - read), read)
    visible = conversations.visible(public.conversationId, user_id, read)
    newest = visible.last_message
    public = replace(public, lastMessage=newest, lastMessageAt=newest.timestamp if newest else None)
    return ParticipantView(public, visible.unread_count, read)


def named_participants(conversation: Conversation) -> list[str]:
    """Return the participants whose names the view of the conversation contains."""
    if conversation.type == "DM":
        return list(conversation.participants)
    return conversation.participants[:NAMED_PARTICIPANTS]


def conversation_view(visible: ParticipantView, user_id: str, names: Mapping[str, str]) -> ConversationView:
    """Return the conversation with names; the name of a DM is that of the other participant.

    Args:
        visible: the part of the conversation that the participant may see.
        user_id: the participant.
        names: full names by user id; users without a profile are absent.
    """
    fields = asdict(visible.conversation)
    if visible.conversation.type == "DM":
        others = [each for each in visible.conversation.participants if each != user_id]
        fields["name"] = names.get(others[0]) if others else None
    found = {each: names[each] for each in named_participants(visible.conversation) if each in names}
    return ConversationView(
        **fields, unreadCount=visible.unread_count, lastReadSeq=visible.last_read_seq, participantNames=found
    )
