"""Finding a conversation or message that the request names."""

from __future__ import annotations

from typing import Final

from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import ConversationReader, MessageFinder
from handlers.core.messages.rules import StoredMessage
from handlers.core.shared.errors import NotFoundError
from handlers.core.shared.ports import Clock

_PAUSES_SECONDS: Final = (0.05, 0.15)
"""The index may be a moment behind the table (Amazon DynamoDB: global secondary indexes are eventually consistent)."""


def conversation(reader: ConversationReader, conversation_id: str, user_id: str) -> ConversationState:
    """Read a conversation for one of its participants.

    Raises:
        NotFoundError: there is no such conversation.
        ForbiddenError: the user is not in it.
    """
    state = reader.read(conversation_id)
    if state is None:
        raise NotFoundError("no such conversation", field="conversationId")
    state.require_participant(user_id)
    return state


def message(
    finder: MessageFinder, clock: Clock, message_id: str, conversation_id: str, user_id: str, field: str
) -> StoredMessage:
    """Find a message of a conversation; a miss is looked up again, since it may just have been sent.

    Raises:
        NotFoundError: there is none that the user may see.
    """
    found = finder.find(message_id)
    for pause in _PAUSES_SECONDS:
        if found is not None:
            break
        clock.pause(pause)
        found = finder.find(message_id)
    if found is None or found.message.conversationId != conversation_id or not found.visible_to(user_id):
        raise NotFoundError("no such message in this conversation", field=field)
    return found
