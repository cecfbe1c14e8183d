"""Finds messages, also those that are accepted and not yet complete."""

from __future__ import annotations

import msgspec

from handlers.core.messages.numbering import SettledNumbers
from handlers.core.messages.ports import ConversationReader, MessageFinder
from handlers.core.messages.rules import StoredMessage


class CompletedMessages(msgspec.Struct, frozen=True):
    """Completes the accepted messages of a direct conversation before it says that a message does not exist.

    A direct message is accepted by its outbox record, and its item follows. If the sender's request failed between the
    two, the item would be missing until a reader of the history, or the delivery, writes it.
    """

    messages: MessageFinder
    conversations: ConversationReader
    numbers: SettledNumbers

    def find(self, conversation_id: str, message_id: str) -> StoredMessage | None:
        """Return a conversation's message, read consistently; None where the conversation has no such message.

        Raises:
            UnavailableError: messages of the conversation are being written just now.
        """
        found = self.messages.find(conversation_id, message_id)
        if found is not None:
            return found
        state = self.conversations.read(conversation_id)
        if state is None or state.is_group or not state.pending:
            return None
        self.numbers.of(state)
        return self.messages.find(conversation_id, message_id)
