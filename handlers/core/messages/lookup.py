"""Reads the conversation or message that a request names."""

from __future__ import annotations

from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import ConversationReader, MessageFinder
from handlers.core.messages.rules import StoredMessage
from handlers.core.shared.errors import NotFoundError


def conversation(conversations: ConversationReader, conversation_id: str, user_id: str) -> ConversationState:
    """Read a conversation for one of its participants.

    Raises:
        NotFoundError: no such conversation.
        ForbiddenError: the user is not a participant.
    """
    state = conversations.read(conversation_id)
    if state is None:
        raise NotFoundError("no such conversation", field="conversationId")
    state.require_participant(user_id)
    return state


def message(messages: MessageFinder, message_id: str, conversation_id: str, user_id: str, field: str) -> StoredMessage:
    """Find a message of a conversation.

    Args:
        field: the request's field with the message id.

    Raises:
        NotFoundError: no such message in the conversation, or it is hidden from the user.
    """
    found = messages.find(conversation_id, message_id)
    if found is None or not found.visible_to(user_id):
        raise NotFoundError("no such message in this conversation", field=field)
    return found
