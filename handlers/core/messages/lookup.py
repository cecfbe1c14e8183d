"""Reads the conversation or message that a request names."""

from __future__ import annotations

from typing import Final

from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import ConversationReader, MessageFinder
from handlers.core.messages.rules import StoredMessage
from handlers.core.shared.errors import NotFoundError
from handlers.core.shared.ports import Clock

_PAUSES_SECONDS: Final = (0.05, 0.15)
"""Pauses before further lookups (Amazon DynamoDB: global secondary indexes are eventually consistent)."""


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


def message(
    messages: MessageFinder, clock: Clock, message_id: str, conversation_id: str, user_id: str, field: str
) -> StoredMessage:
    """Find a message of a conversation. A miss is looked up again, since the message may have just been sent.

    Args:
        field: the request's field with the message id.

    Raises:
        NotFoundError: no such message in the conversation, or it is hidden from the user.
    """
    found = messages.find(message_id)
    for pause in _PAUSES_SECONDS:
        if found is not None:
            break
        clock.pause(pause)
        found = messages.find(message_id)
    if found is None or found.message.conversationId != conversation_id or not found.visible_to(user_id):
        raise NotFoundError("no such message in this conversation", field=field)
    return found
