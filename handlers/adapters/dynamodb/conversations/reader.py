"""Reading conversations, and remembering the last ones that this process read."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Any, Final

from handlers.adapters.dynamodb.client import reading
from handlers.adapters.dynamodb.codec import from_item, to_item
from handlers.core.messages.conversation_state import ConversationState

REMEMBERED: Final = 128
"""Conversations one process remembers: the largest has 1,000 participants, so that memory stays below some 10 MB."""


def unchanged(attribute: str, known: int, placeholder: str) -> str:
    """Return the condition that a conversation's number is still the known one.

    An old conversation has no number yet, which reads as 0.
    """
    same = f"{attribute} = {placeholder}"
    return same if known else f"(attribute_not_exists({attribute}) OR {same})"


class DynamoConversationReader:
    """Reads conversations (`handlers.core.messages.ports.ConversationReader`)."""

    def __init__(self, client: Any, conversations_table: str) -> None:
        self._client = client
        self._conversations = conversations_table
        self._remembered: OrderedDict[str, ConversationState] = OrderedDict()
        self._lock = Lock()

    def read(self, conversation_id: str) -> ConversationState | None:
        """Read a conversation consistently."""
        with reading("the conversation"):
            answer = self._client.get_item(
                TableName=self._conversations, Key=self.conversation_key(conversation_id), ConsistentRead=True
            )
        state = ConversationState.of(from_item(answer["Item"])) if "Item" in answer else None
        self.remember(conversation_id, state)
        return state

    def recall(self, conversation_id: str) -> ConversationState | None:
        """Return what this process last knew of a conversation, which may be out of date; None if nothing."""
        with self._lock:
            return self._remembered.get(conversation_id)

    def remember(self, conversation_id: str, state: ConversationState | None) -> None:
        """Keep what is known of a conversation now; None forgets it."""
        with self._lock:
            self._remembered.pop(conversation_id, None)
            if state is not None:
                self._remembered[conversation_id] = state
                if len(self._remembered) > REMEMBERED:
                    self._remembered.popitem(last=False)

    @staticmethod
    def conversation_key(conversation_id: str) -> dict[str, Any]:
        """Return the conversation's key as the wire has it."""
        return to_item({"conversationId": conversation_id})
