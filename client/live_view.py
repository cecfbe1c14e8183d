"""The user's view as the client keeps it: applies events and responses to the state and publishes the updates."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from client.state.conversation_log import ConversationLog, LogChange
from client.state.draft import Draft
from client.state.inbox import Inbox
from client.state.inbox_entry import without_event_fields
from client.state.typing_announcements import TypingAnnouncements
from client.state.updates import ConversationRemoved, Update
from client.update_feed import UpdateFeed
from contract import events


class LiveView:
    """The inbox and the drafts of one user, with the timer that ends typing notices.

    Args:
        user_id: the signed-in user.
        feed: publishes the updates.
        now: returns the present in seconds of a steady clock; by default that of the event loop.
    """

    def __init__(self, user_id: str, feed: UpdateFeed, *, now: Callable[[], float] | None = None) -> None:
        self.user_id = user_id
        self.feed = feed
        self._now = now or (lambda: asyncio.get_running_loop().time())
        self.inbox = Inbox(user_id)
        self.drafts: dict[tuple[str, str], Draft] = {}
        self.typing_announcements = TypingAnnouncements()
        self._expiry: asyncio.TimerHandle | None = None

    def apply(self, event: events.Event) -> None:
        """Apply an event of the user's channels."""
        if isinstance(event, events.MessageSent) and event.data.tempId and event.data.senderId == self.user_id:
            draft = self.drafts.pop((event.data.conversationId, event.data.tempId), None)
            if draft is not None:
                # The response to the send may be lost, but this event proves that the message is stored.
                draft.stored = without_event_fields(event.data)
        self.publish(self.inbox.apply(event, self._now()))

    def take_log_changes(self, log: ConversationLog, changes: Iterable[LogChange]) -> None:
        """Take changes of a conversation's log, unless the conversation was removed meanwhile."""
        if log.conversation_id in self.inbox:
            self.publish(self.inbox.take_log_changes(log.conversation_id, changes))

    def publish(self, updates: Iterable[Update]) -> None:
        """Publish updates that a method of the state returned; a removed conversation loses its drafts."""
        published = list(updates)
        removed = {update.conversation_id for update in published if isinstance(update, ConversationRemoved)}
        for key in [key for key in self.drafts if key[0] in removed]:
            del self.drafts[key]
        self.feed.publish(published)
        self._schedule_expiry()

    def close(self) -> None:
        """Stop the timer."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None

    def _schedule_expiry(self) -> None:
        self.close()
        expires_at = self.inbox.next_expiry()
        if expires_at is not None:
            delay = max(0.0, expires_at - self._now())
            self._expiry = asyncio.get_running_loop().call_later(delay, self._expire, expires_at)

    def _expire(self, expires_at: float) -> None:
        self.publish(self.inbox.expire(max(expires_at, self._now())))
