"""The conversations that this process read or changed last."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Final

from handlers.core.messages.conversation_state import ConversationState

CAPACITY: Final = 128
"""Conversations in the cache. The largest has 1,000 participants, so that the cache stays below about 10 MB."""


class ConversationCache:
    """A bounded cache, one per process, shared by the stores that fill it and the use case that reads it.

    An entry may be out of date: a write that builds on it is conditional on the stored version, and no request is
    refused because of it.

    Args:
        capacity: most conversations kept; beyond it the one stored longest ago is dropped.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[str, ConversationState] = OrderedDict()
        self._lock = Lock()

    def get(self, conversation_id: str) -> ConversationState | None:
        """Return the conversation as last stored in the cache; None where it is not in the cache."""
        with self._lock:
            return self._entries.get(conversation_id)

    def put(self, conversation_id: str, state: ConversationState | None) -> None:
        """Store the present state of a conversation; None removes it."""
        with self._lock:
            self._entries.pop(conversation_id, None)
            if state is not None:
                self._entries[conversation_id] = state
                if len(self._entries) > self._capacity:
                    self._entries.popitem(last=False)
