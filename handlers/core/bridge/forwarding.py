"""Forwards the backend's messages to the old server: in the order of their numbers, each once, none left out.

The position of each conversation is stored. Messages after it are queued as long as their numbers follow each other;
a message that is stored late, after one with a greater number, lets the forwarding continue when it arrives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from handlers.core.bridge.ports import ForwardedMessage, ForwardPosition, ForwardStore, OldMessageStore, OldServerQueue
from handlers.core.messages.conversation_state import ConversationState
from handlers.core.messages.ports import ConversationReader
from handlers.core.shared.timestamps import to_iso

_PAGE: Final = 100
START_MARGIN_MS: Final = 60_000
"""The first message that is seen of a conversation may have overtaken earlier ones by less than this time."""


class MessageForwarding(msgspec.Struct, frozen=True, kw_only=True):
    """Forwards messages to the old server."""

    conversations: ConversationReader
    counters: OldMessageStore
    store: ForwardStore
    queue: OldServerQueue

    def forward(self, conversation_id: str, seen_at: int) -> int:
        """Queue the messages of a conversation that follow its position; return their number.

        Args:
            conversation_id: the conversation.
            seen_at: when its message was stored, in milliseconds since the epoch. Without a position, forwarding
                starts `START_MARGIN_MS` before.

        Raises:
            UnavailableError: a store or the queue is not available; a repeat continues where this one stopped.
        """
        conversation = self.conversations.read(conversation_id)
        if conversation is None:
            return 0
        position = self.store.position(conversation) or self._start(conversation, seen_at)
        sent = 0
        while position is not None:
            page = self.store.following(conversation_id, position.timestamp, _PAGE)
            reached, count = self._queue(conversation, position, page)
            if reached != position:
                self.store.advance(conversation, reached)
            sent += count
            whole = page and reached.timestamp == page[-1].stored.message.timestamp
            position = reached if len(page) == _PAGE and whole else None
        return sent

    def _start(self, conversation: ConversationState, seen_at: int) -> ForwardPosition | None:
        """Return the position before the first message, also before reserved numbers that have no message yet."""
        timestamp = to_iso(seen_at - START_MARGIN_MS)
        pending = self.counters.counter(conversation).pending
        first = self.store.following(conversation.conversation_id, timestamp, 1)
        numbers = [*(each.stored.message.seq or 0 for each in first), *pending]
        return ForwardPosition(min(numbers) - 1, timestamp) if numbers else None

    def _queue(
        self, conversation: ConversationState, position: ForwardPosition, page: Sequence[ForwardedMessage]
    ) -> tuple[ForwardPosition, int]:
        """Queue messages up to the first gap; return the position after them, and how many they are."""
        count = 0
        for each in page:
            message = each.stored.message
            if message.seq != position.seq + 1:
                break
            if not each.bridged and not each.stored.voided:
                hidden = each.stored.hidden_from
                recipients = [user_id for user_id in conversation.participants if user_id not in hidden]
                self.queue.send(conversation.conversation_id, each, recipients)
                count += 1
            position = ForwardPosition(message.seq, message.timestamp)
        return position, count
