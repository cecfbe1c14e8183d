"""What one user sees: conversations in order, unread counts, typing notices, read marks and blocked users.

Takes events and API responses, returns updates; no input, output or clock (times are arguments, in seconds). An event
whose `eventId` was taken before changes nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from functools import singledispatchmethod
from typing import Any, Final

import msgspec

from client.errors import UnknownConversationError
from client.state.conversation_log import ConversationLog, LogChange
from client.state.inbox_entry import (
    Entry,
    copy_description,
    last_message,
    typing_changed,
    without_event_fields,
)
from client.state.updates import (
    BlockChanged,
    ConversationChanged,
    ConversationRemoved,
    HistoryReset,
    MessageAdded,
    ReadMarkMoved,
    Update,
    UserChanged,
)
from contract import events
from contract.models import Conversation, ConversationView, Message

TYPING_SECONDS: Final = 3.0
"""How long a typing notice is valid without another one."""
_EVENT_IDS_KEPT: Final = 10_000


class Inbox:
    """The view of the user `me`."""

    def __init__(self, me: str) -> None:
        self.me = me
        self.blocked: set[str] = set()
        self._entries: dict[str, Entry] = {}
        self._seen: OrderedDict[str, None] = OrderedDict()
        self.unknown: set[str] = set()
        """Conversations that must be read from the API: events name them, or a participant without a known name."""

    def __contains__(self, conversation_id: str) -> bool:
        return conversation_id in self._entries

    def __getitem__(self, conversation_id: str) -> Entry:
        """Return a conversation.

        Raises:
            UnknownConversationError: the user is not a participant, or it has not been read yet.
        """
        try:
            return self._entries[conversation_id]
        except KeyError:
            raise UnknownConversationError(conversation_id) from None

    def conversations(self) -> list[ConversationView]:
        """Return the conversations, newest message first."""
        views = [entry.view for entry in self._entries.values()]
        return sorted(views, key=lambda view: view.lastMessageAt or view.createdAt, reverse=True)

    def incomplete_logs(self) -> list[ConversationLog]:
        """Return the logs with a gap."""
        return [entry.log for entry in self._entries.values() if entry.log.gap is not None]

    # Responses of the API

    def take_views(self, views: Iterable[ConversationView], *, first: bool = False) -> list[Update]:
        """Take conversations from a response of the API.

        Args:
            views: each complete as of its `latestSeq`, `latestChange` and `version`.
            first: whether this is the list read at the client's start. Its unread messages are only counted; unread
                messages of a conversation that appears later are read from history and reported.
        """
        out: list[Update] = []
        for view in views:
            entry = self._entries.get(view.conversationId)
            self.unknown.discard(view.conversationId)
            if entry is None:
                self._add(view, first=first)
                out.append(ConversationChanged(view))
            else:
                before = msgspec.structs.replace(entry.view)
                self._merge(entry, view)
                if entry.view != before:
                    out.append(ConversationChanged(entry.view))
        return out

    def take_description(self, conversation: Conversation) -> list[Update]:
        """Take a group's name, members and roles from a response or event; an older version changes nothing."""
        entry = self._entry(conversation.conversationId)
        if entry is None or conversation.version <= entry.view.version:
            return []
        entry.log.note_latest(conversation.latestSeq, conversation.latestChange)
        view = entry.view
        name = view.name
        copy_description(conversation, view)
        view.name = name if view.type == "DM" else conversation.name
        if any(user not in view.participantNames for user in view.participants[: len(view.participantNames) + 1]):
            self.unknown.add(conversation.conversationId)  # only the API knows the new participant's name
        return [ConversationChanged(view)]

    def take_blocks(self, user_ids: Iterable[str]) -> list[Update]:
        """Take the list of the users whom the user has blocked."""
        before, self.blocked = self.blocked, set(user_ids)
        return [BlockChanged(user, user in self.blocked) for user in sorted(before ^ self.blocked)]

    def take_block(self, user_id: str, blocked: bool) -> list[Update]:
        """Take that the user blocked or unblocked another user."""
        if (user_id in self.blocked) == blocked:
            return []
        (self.blocked.add if blocked else self.blocked.discard)(user_id)
        return [BlockChanged(user_id, blocked)]

    def _add(self, view: ConversationView, *, first: bool) -> None:
        start = view.latestSeq if first else min(view.lastReadSeq, view.latestSeq)
        log = ConversationLog(
            view.conversationId,
            seq=start,
            change=view.latestChange,
            latest_seq=view.latestSeq,
            latest_change=view.latestChange,
        )
        self._entries[view.conversationId] = Entry(view, log, counted_seq=view.latestSeq)

    def _merge(self, entry: Entry, newer: ConversationView) -> None:
        entry.log.note_latest(newer.latestSeq, newer.latestChange)
        view = entry.view
        if newer.version >= view.version:
            copy_description(newer, view)
            view.name, view.participantNames = newer.name, newer.participantNames
        view.latestChange = max(view.latestChange, newer.latestChange)
        view.lastReadSeq = max(view.lastReadSeq, newer.lastReadSeq)
        if newer.latestSeq >= entry.counted_seq:
            view.unreadCount, entry.counted_seq = newer.unreadCount, newer.latestSeq
        if newer.latestSeq >= view.latestSeq:
            view.latestSeq, view.lastMessage, view.lastMessageAt = (
                newer.latestSeq,
                newer.lastMessage,
                newer.lastMessageAt,
            )

    def remove(self, conversation_id: str, removed_by: str | None = None) -> list[Update]:
        """Remove a conversation: the user is not a participant any more."""
        self.unknown.discard(conversation_id)
        if self._entries.pop(conversation_id, None) is None:
            return []
        return [ConversationRemoved(conversation_id, removed_by)]

    def take_log_changes(self, conversation_id: str, changes: Iterable[LogChange]) -> list[Update]:
        """Take the changes that a conversation's log reported: update order, preview and unread count.

        Args:
            conversation_id: a conversation of this inbox.
            changes: what a method of its log returned.
        """
        entry = self._entries[conversation_id]
        out: list[Update] = []
        before = msgspec.structs.replace(entry.view)
        for change in changes:
            out.append(change)
            if isinstance(change, MessageAdded):
                out += self._message_added(entry, change.message)
            elif not isinstance(change, HistoryReset):
                self._message_changed(entry, change.message)
        if entry.view != before:
            out.append(ConversationChanged(entry.view))
        return out

    def _message_added(self, entry: Entry, message: Message) -> list[Update]:
        view, seq = entry.view, message.seq or 0
        if seq > view.latestSeq or view.lastMessage is None:
            view.latestSeq, view.lastMessageAt, view.lastMessage = seq, message.timestamp, last_message(message)
        if seq > entry.counted_seq:
            entry.counted_seq = seq
            if message.senderId == self.me:
                view.unreadCount, view.lastReadSeq = 0, max(view.lastReadSeq, seq)
            elif seq > view.lastReadSeq:
                view.unreadCount += 1
        # A message ends its sender's typing notice: USER_STOPPED_TYPING may arrive late or never.
        return self._typing_stopped(entry, message.senderId)

    def _message_changed(self, entry: Entry, message: Message) -> None:
        last = entry.view.lastMessage
        if last is not None and last.messageId == message.messageId:
            entry.view.lastMessage = last_message(message)

    def take_own_read_mark(self, conversation_id: str, seq: int, unread: int) -> list[Update]:
        """Take the response to a mark-as-read."""
        entry = self._entries.get(conversation_id)
        if entry is None or seq < entry.view.lastReadSeq:
            return []
        return self._read_by_me(entry, seq, unread)

    # Events

    def apply(self, event: events.Event, now: float) -> list[Update]:
        """Take one event of the user's channels.

        Args:
            event: decoded by `decode`.
            now: the present, in seconds of any steady clock.

        Returns:
            What changed for the user; nothing for a duplicate.
        """
        if event.eventId in self._seen:
            return []
        self._seen[event.eventId] = None
        if len(self._seen) > _EVENT_IDS_KEPT:
            self._seen.popitem(last=False)
        return self._on(event, now)

    @singledispatchmethod
    def _on(self, event: Any, now: float) -> list[Update]:
        raise TypeError(f"no handler for {type(event).__name__}")

    def _entry(self, conversation_id: str) -> Entry | None:
        entry = self._entries.get(conversation_id)
        if entry is None:
            self.unknown.add(conversation_id)
        return entry

    @_on.register
    def _(self, event: events.MessageSent, now: float) -> list[Update]:
        entry = self._entry(event.data.conversationId)
        if entry is None:
            return []
        mine = event.data.senderId == self.me
        changes = entry.log.add_message(without_event_fields(event.data), event.data.tempId if mine else None)
        return self.take_log_changes(entry.log.conversation_id, changes)

    @_on.register
    def _(self, event: events.MessageUpdated, now: float) -> list[Update]:
        entry = self._entry(event.data.conversationId)
        if entry is None:
            return []
        return self.take_log_changes(
            entry.log.conversation_id, entry.log.apply_change(event.data.change, event.data.message)
        )

    @_on.register
    def _(self, event: events.MessageDeleted, now: float) -> list[Update]:
        data = event.data
        entry = self._entry(data.conversationId)
        if entry is None:
            return []
        changes = entry.log.apply_deletion(data.change, data.messageId, data.seq, data.deletedAt)
        return self.take_log_changes(data.conversationId, changes)

    @_on.register
    def _(self, event: events.MessageRead, now: float) -> list[Update]:
        data = event.data
        entry = self._entry(data.conversationId)
        if entry is None:
            return []
        marks = {each.userId: each.readSeq for each in data.readers} or {data.readBy: data.readSeq}
        return [update for user_id, seq in marks.items() for update in self._read_mark(entry, user_id, seq)]

    def _read_mark(self, entry: Entry, user_id: str, seq: int) -> list[Update]:
        if seq <= entry.read_marks.get(user_id, 0):
            return []
        if user_id == self.me:
            left = max(0, entry.view.latestSeq - seq)
            return self._read_by_me(entry, seq, min(entry.view.unreadCount, left))
        entry.read_marks[user_id] = seq
        return [ReadMarkMoved(entry.view.conversationId, user_id, seq)]

    @_on.register
    def _(self, event: events.UserTyping, now: float) -> list[Update]:
        entry = self._entries.get(event.data.conversationId)
        user = event.data.userId
        if entry is None or user == self.me:
            return []
        began = user not in entry.typing
        entry.typing[user] = now + TYPING_SECONDS
        return [typing_changed(entry)] if began else []

    @_on.register
    def _(self, event: events.UserStoppedTyping, now: float) -> list[Update]:
        entry = self._entries.get(event.data.conversationId)
        return self._typing_stopped(entry, event.data.userId) if entry is not None else []

    @_on.register
    def _(self, event: events.ConversationCreated, now: float) -> list[Update]:
        return self.take_description(event.data.conversation)

    @_on.register
    def _(self, event: events.ConversationUpdated, now: float) -> list[Update]:
        return self.take_description(event.data.conversation)

    @_on.register
    def _(self, event: events.ConversationRemoved, now: float) -> list[Update]:
        if event.data.userId != self.me:
            return []
        return self.remove(event.data.conversationId, event.data.removedBy)

    @_on.register
    def _(self, event: events.UserUpdated, now: float) -> list[Update]:
        user = event.data.user
        out: list[Update] = [UserChanged(user)]
        for entry in self._entries.values():
            view = entry.view
            if view.participantNames.get(user.userId, user.fullName) != user.fullName:
                view.participantNames = view.participantNames | {user.userId: user.fullName}
                if view.type == "DM" and user.userId != self.me:
                    view.name = user.fullName
                out.append(ConversationChanged(view))
        return out

    @_on.register
    def _(self, event: events.UserBlocked, now: float) -> list[Update]:
        return self.take_block(event.data.userId, True)

    @_on.register
    def _(self, event: events.UserUnblocked, now: float) -> list[Update]:
        return self.take_block(event.data.userId, False)

    # Typing and reading

    def expire(self, now: float) -> list[Update]:
        """Remove the expired typing notices."""
        out: list[Update] = []
        for entry in self._entries.values():
            over = [user for user, until in entry.typing.items() if until <= now]
            for user in over:
                del entry.typing[user]
            if over:
                out.append(typing_changed(entry))
        return out

    def next_expiry(self) -> float | None:
        """Return the next time at which `expire` changes something, or None while there is no typing notice."""
        return min((until for entry in self._entries.values() for until in entry.typing.values()), default=None)

    def _typing_stopped(self, entry: Entry, user: str) -> list[Update]:
        if entry.typing.pop(user, None) is None:
            return []
        return [typing_changed(entry)]

    def _read_by_me(self, entry: Entry, seq: int, unread: int) -> list[Update]:
        conversation = entry.view.conversationId
        entry.read_marks[self.me] = seq
        entry.view.lastReadSeq, entry.view.unreadCount = max(seq, entry.view.lastReadSeq), unread
        return [ReadMarkMoved(conversation, self.me, seq), ConversationChanged(entry.view)]
