"""Everything one user sees: conversations in order, unread counts, who types, who has read, who is blocked.

Events and answers go in, updates come out; no input, output or clock (times are passed in, in seconds). An event that
was seen before, by its `eventId`, changes nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from functools import singledispatchmethod
from typing import Any, Final

import msgspec

from client.state.conversation_log import Change, ConversationLog
from client.state.inbox_entry import Entry, copy_description, last_message, plain, typing_of
from client.state.updates import (
    BlockChanged,
    ConversationChanged,
    ConversationGone,
    HistoryReset,
    MessageAdded,
    ReadMoved,
    Update,
    UserChanged,
)
from contract import events
from contract.models import Conversation, ConversationView, Message

TYPING_SECONDS: Final = 3.0
"""How long a typing notice holds without another one."""
_REMEMBERED_EVENTS: Final = 10_000


class Inbox:
    """The view of the user `me`."""

    def __init__(self, me: str) -> None:
        self.me = me
        self.blocked: set[str] = set()
        self._entries: dict[str, Entry] = {}
        self._seen: OrderedDict[str, None] = OrderedDict()
        self.unknown: set[str] = set()
        """Conversations that events speak of and that have to be asked for."""

    def __contains__(self, conversation_id: str) -> bool:
        return conversation_id in self._entries

    def __getitem__(self, conversation_id: str) -> Entry:
        return self._entries[conversation_id]

    def conversations(self) -> list[ConversationView]:
        """Return the conversations, newest message first."""
        views = [entry.view for entry in self._entries.values()]
        return sorted(views, key=lambda view: view.lastMessageAt or view.createdAt, reverse=True)

    def behind(self) -> list[ConversationLog]:
        """Return the logs that miss something."""
        return [entry.log for entry in self._entries.values() if entry.log.gap is not None]

    # Answers of the API

    def listed(self, views: Iterable[ConversationView], *, first: bool = False) -> list[Update]:
        """Take conversations as the API lists them.

        Args:
            views: each complete as of its `latestSeq`, `latestChange` and `version`.
            first: whether this is the list with which the client starts: what is unread then is only counted, while
                unread messages of a conversation that appears later are fetched and handed out.
        """
        out: list[Update] = []
        for view in views:
            entry = self._entries.get(view.conversationId)
            self.unknown.discard(view.conversationId)
            if entry is None:
                self._begin(view, first=first)
                out.append(ConversationChanged(view))
            else:
                before = msgspec.structs.replace(entry.view)
                self._merge(entry, view)
                if entry.view != before:
                    out.append(ConversationChanged(entry.view))
        return out

    def listed_blocks(self, user_ids: Iterable[str]) -> list[Update]:
        """Take whom the user has blocked, as the API lists it."""
        before, self.blocked = self.blocked, set(user_ids)
        return [BlockChanged(user, user in self.blocked) for user in sorted(before ^ self.blocked)]

    def _begin(self, view: ConversationView, *, first: bool) -> None:
        start = view.latestSeq if first else min(view.lastReadSeq, view.latestSeq)
        log = ConversationLog(
            view.conversationId,
            seq=start,
            change=view.latestChange,
            latest_seq=view.latestSeq,
            latest_change=view.latestChange,
        )
        self._entries[view.conversationId] = Entry(view, log, counted=view.latestSeq)

    def _merge(self, entry: Entry, news: ConversationView) -> None:
        entry.log.note(news.latestSeq, news.latestChange)
        view = entry.view
        if news.version >= view.version:
            copy_description(news, view)
            view.name, view.participantNames = news.name, news.participantNames
        view.latestChange = max(view.latestChange, news.latestChange)
        view.lastReadSeq = max(view.lastReadSeq, news.lastReadSeq)
        if news.latestSeq >= entry.counted:
            view.unreadCount, entry.counted = news.unreadCount, news.latestSeq
        if news.latestSeq >= view.latestSeq:
            view.latestSeq, view.lastMessage, view.lastMessageAt = news.latestSeq, news.lastMessage, news.lastMessageAt

    def gone(self, conversation_id: str, removed_by: str | None = None) -> list[Update]:
        """Take notice that the user is not in a conversation any more."""
        self.unknown.discard(conversation_id)
        if self._entries.pop(conversation_id, None) is None:
            return []
        return [ConversationGone(conversation_id, removed_by)]

    def progressed(self, conversation_id: str, changes: Iterable[Change]) -> list[Update]:
        """Take what a conversation's log handed out, and bring list, preview and unread count in step.

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
                out += self._arrived(entry, change.message)
            elif not isinstance(change, HistoryReset):
                self._revised(entry, change.message)
        if entry.view != before:
            out.append(ConversationChanged(entry.view))
        return out

    def _arrived(self, entry: Entry, message: Message) -> list[Update]:
        view, seq = entry.view, message.seq or 0
        if seq > view.latestSeq or view.lastMessage is None:
            view.latestSeq, view.lastMessageAt, view.lastMessage = seq, message.timestamp, last_message(message)
        if seq > entry.counted:
            entry.counted = seq
            if message.senderId == self.me:
                view.unreadCount, view.lastReadSeq = 0, max(view.lastReadSeq, seq)
            elif seq > view.lastReadSeq:
                view.unreadCount += 1
        # A message ends its sender's typing: the notice that says so may come late or never.
        return self._stopped(entry, message.senderId)

    def _revised(self, entry: Entry, message: Message) -> None:
        last = entry.view.lastMessage
        if last is not None and last.messageId == message.messageId:
            entry.view.lastMessage = last_message(message)

    def own_read(self, conversation_id: str, seq: int, unread: int) -> list[Update]:
        """Take the API's answer to a mark-as-read."""
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
            What changed for the user; nothing for an event that came before.
        """
        if event.eventId in self._seen:
            return []
        self._seen[event.eventId] = None
        if len(self._seen) > _REMEMBERED_EVENTS:
            self._seen.popitem(last=False)
        return self._on(event, now)

    @singledispatchmethod
    def _on(self, event: Any, now: float) -> list[Update]:
        raise TypeError(f"no rule for {type(event).__name__}")

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
        changes = entry.log.sent(plain(event.data), event.data.tempId if mine else None)
        return self.progressed(entry.log.conversation_id, changes)

    @_on.register
    def _(self, event: events.MessageUpdated, now: float) -> list[Update]:
        entry = self._entry(event.data.conversationId)
        if entry is None:
            return []
        return self.progressed(entry.log.conversation_id, entry.log.changed(event.data.change, event.data.message))

    @_on.register
    def _(self, event: events.MessageDeleted, now: float) -> list[Update]:
        data = event.data
        entry = self._entry(data.conversationId)
        if entry is None:
            return []
        changes = entry.log.deleted(data.change, data.messageId, data.seq, data.deletedAt)
        return self.progressed(data.conversationId, changes)

    @_on.register
    def _(self, event: events.MessageRead, now: float) -> list[Update]:
        data = event.data
        entry = self._entry(data.conversationId)
        if entry is None or data.readSeq <= entry.read.get(data.readBy, 0):
            return []
        if data.readBy == self.me:
            left = max(0, entry.view.latestSeq - data.readSeq)
            return self._read_by_me(entry, data.readSeq, min(entry.view.unreadCount, left))
        entry.read[data.readBy] = data.readSeq
        return [ReadMoved(data.conversationId, data.readBy, data.readSeq)]

    @_on.register
    def _(self, event: events.UserTyping, now: float) -> list[Update]:
        entry = self._entries.get(event.data.conversationId)
        user = event.data.userId
        if entry is None or user == self.me:
            return []
        began = user not in entry.typing
        entry.typing[user] = now + TYPING_SECONDS
        return [typing_of(entry)] if began else []

    @_on.register
    def _(self, event: events.UserStoppedTyping, now: float) -> list[Update]:
        entry = self._entries.get(event.data.conversationId)
        return self._stopped(entry, event.data.userId) if entry is not None else []

    @_on.register
    def _(self, event: events.ConversationCreated, now: float) -> list[Update]:
        return self._conversation(event.data.conversation)

    @_on.register
    def _(self, event: events.ConversationUpdated, now: float) -> list[Update]:
        return self._conversation(event.data.conversation)

    def _conversation(self, news: Conversation) -> list[Update]:
        entry = self._entry(news.conversationId)
        if entry is None or news.version <= entry.view.version:
            return []
        entry.log.note(news.latestSeq, news.latestChange)
        view = entry.view
        name = view.name
        copy_description(news, view)
        view.name = name if view.type == "DM" else news.name
        if any(user not in view.participantNames for user in view.participants[: len(view.participantNames) + 1]):
            self.unknown.add(news.conversationId)  # somebody whose name only the API knows
        return [ConversationChanged(view)]

    @_on.register
    def _(self, event: events.ConversationRemoved, now: float) -> list[Update]:
        if event.data.userId != self.me:
            return []
        return self.gone(event.data.conversationId, event.data.removedBy)

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
        self.blocked.add(event.data.userId)
        return [BlockChanged(event.data.userId, True)]

    @_on.register
    def _(self, event: events.UserUnblocked, now: float) -> list[Update]:
        self.blocked.discard(event.data.userId)
        return [BlockChanged(event.data.userId, False)]

    # Typing and reading

    def expire(self, now: float) -> list[Update]:
        """End the typing notices whose time is over."""
        out: list[Update] = []
        for entry in self._entries.values():
            over = [user for user, until in entry.typing.items() if until <= now]
            for user in over:
                del entry.typing[user]
            if over:
                out.append(typing_of(entry))
        return out

    def next_expiry(self) -> float | None:
        """Return when `expire` has something to do, or None while nobody types."""
        return min((until for entry in self._entries.values() for until in entry.typing.values()), default=None)

    def _stopped(self, entry: Entry, user: str) -> list[Update]:
        if entry.typing.pop(user, None) is None:
            return []
        return [typing_of(entry)]

    def _read_by_me(self, entry: Entry, seq: int, unread: int) -> list[Update]:
        conversation = entry.view.conversationId
        entry.read[self.me] = seq
        entry.view.lastReadSeq, entry.view.unreadCount = max(seq, entry.view.lastReadSeq), unread
        return [ReadMoved(conversation, self.me, seq), ConversationChanged(entry.view)]
