"""The lines that the terminal chat shows: one for each update."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime
from functools import singledispatchmethod
from typing import Any, Final

from client.chat_client import ChatClient
from client.cli.call_lines import change_line
from client.cli.terminal import Terminal
from client.errors import ClientError
from client.state.updates import (
    BlockChanged,
    CallChanged,
    ConversationChanged,
    ConversationRemoved,
    HistoryReset,
    MessageAdded,
    MessageChanged,
    ReadMarkMoved,
    SendFailed,
    SyncState,
    SyncStateChanged,
    TypingChanged,
    Update,
    UserChanged,
)
from contract.models import ConversationView, Message

MARK_INTERVAL_SECONDS: Final = 2.0
"""Time between two requests that mark the messages of one conversation as read."""


class Screen:
    """The lines of one chat. `open` is the id of the open conversation, if there is one."""

    def __init__(self, terminal: Terminal, chat: ChatClient, *, local: bool) -> None:
        self.terminal = terminal
        self.open: str | None = None
        self._chat = chat
        self._me = chat.user_id
        self._local = local
        self._was_current = False
        self._names: dict[str, str] = {}
        self._shown: dict[str, int] = {}
        self._marking: dict[str, asyncio.Task[None]] = {}
        self._closing = asyncio.Event()

    async def settled(self) -> None:
        """Wait until the shown messages are marked as read."""
        self._closing.set()
        await asyncio.gather(*self._marking.values(), return_exceptions=True)

    # Texts

    def name(self, user_id: str) -> str:
        """Return a user's name, `you` for the signed-in user."""
        if user_id == self._me:
            return "you"
        names: dict[str, str] = {}
        for view in self._chat.conversations():
            names |= view.participantNames
        return names.get(user_id) or self._names.get(user_id) or user_id[:8]

    def learn(self, user_id: str, name: str) -> None:
        """Remember the name of a user who is in no conversation of the list."""
        self._names[user_id] = name

    def title(self, view: ConversationView) -> str:
        """Return a conversation's name."""
        return (
            view.name
            or ", ".join(self.name(user) for user in view.participants if user != self._me)
            or "no other participant"
        )

    def line(self, message: Message) -> str:
        """Return a message as one line."""
        time = datetime.fromisoformat(message.timestamp).astimezone()
        return f"#{message.seq or '-'} {time:%H:%M} {self.name(message.senderId)}: {_body(message)}"

    def conversations(self) -> None:
        """Show the list of conversations."""
        views = self._chat.conversations()
        if not views:
            self.terminal.note("No conversations yet: /new NAME starts one.")
        for number, view in enumerate(views, 1):
            unread = f" ({view.unreadCount} unread)" if view.unreadCount else ""
            last = view.lastMessage
            preview = f": {last.preview or last.type.lower()}" if last and not last.deleted else ""
            self.terminal.show(f"{number}. {self.title(view)}{unread}{preview}")

    # Updates

    def update(self, update: Update) -> None:
        """Show an update."""
        self._on(update)

    @singledispatchmethod
    def _on(self, update: Any) -> None:
        raise TypeError(f"no line for {type(update).__name__}")

    @_on.register
    def _(self, update: SyncStateChanged) -> None:
        if update.state is SyncState.OFFLINE:
            remedy = " If the local cloud has stopped, start it again: make up." if self._local else ""
            self.terminal.note(f"Connection lost ({update.cause}); reconnecting.{remedy}")
        elif update.state is SyncState.SIGNED_OUT:
            self.terminal.note(f"The session has ended ({update.cause}). Start the chat again to sign in.")
        elif update.state is SyncState.CURRENT:
            if self._was_current:
                self.terminal.note("Connected again; the missed messages are shown.")
            self._was_current = True

    @_on.register
    def _(self, update: MessageAdded) -> None:
        if update.conversation_id == self.open:
            self.terminal.show(self.line(update.message))
            if update.message.senderId != self._me:
                self._mark_read(update.conversation_id, update.message.seq or 0)
        elif update.message.senderId != self._me:
            title = self.title(self._chat.conversation(update.conversation_id).view)
            self.terminal.note(f"[{title}] {self.line(update.message)}")

    @_on.register
    def _(self, update: MessageChanged) -> None:
        if update.conversation_id == self.open:
            message = update.message
            what = "was deleted" if message.deleted else f"now says: {message.content}"
            self.terminal.show(f"#{message.seq} {what}")

    @_on.register
    def _(self, update: HistoryReset) -> None:
        if update.conversation_id == self.open:
            self.terminal.note(
                f"Too much was missed: messages between #{update.after_seq} and #{update.first_seq} are in /history."
            )

    @_on.register
    def _(self, update: SendFailed) -> None:
        self.terminal.note("The message was not sent. /retry sends it again.")

    @_on.register
    def _(self, update: ReadMarkMoved) -> None:
        if update.conversation_id == self.open and update.user_id != self._me:
            self.terminal.note(f"{self.name(update.user_id)} has read up to #{update.seq}.")

    @_on.register
    def _(self, update: TypingChanged) -> None:
        if update.conversation_id == self.open and update.user_ids:
            names = " and ".join(self.name(user) for user in update.user_ids)
            self.terminal.note(f"{names} {'is' if len(update.user_ids) == 1 else 'are'} typing…")

    @_on.register
    def _(self, update: ConversationChanged) -> None:
        return  # /list shows it

    @_on.register
    def _(self, update: ConversationRemoved) -> None:
        if update.conversation_id == self.open:
            self.open = None
            self.terminal.note("You are no longer in this conversation. /list shows the others.")

    @_on.register
    def _(self, update: UserChanged) -> None:
        self.learn(update.user.userId, update.user.fullName)

    @_on.register
    def _(self, update: BlockChanged) -> None:
        self.terminal.note(f"{self.name(update.user_id)} is {'blocked' if update.blocked else 'no longer blocked'}.")

    @_on.register
    def _(self, update: CallChanged) -> None:
        self.terminal.note(change_line(update, self._me, self.name))

    def _mark_read(self, conversation_id: str, seq: int) -> None:
        """Mark a shown message as read, together with those that are shown within the next two seconds."""
        self._shown[conversation_id] = seq
        if conversation_id not in self._marking:
            self._marking[conversation_id] = asyncio.create_task(self._mark_shown(conversation_id))

    async def _mark_shown(self, conversation_id: str) -> None:
        try:
            while (seq := self._shown.pop(conversation_id, None)) is not None:
                await self._chat.conversation(conversation_id).mark_read(seq)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), MARK_INTERVAL_SECONDS)
        except ClientError:
            return  # the next message or the next start marks it
        finally:
            del self._marking[conversation_id]


def _body(message: Message) -> str:
    if message.deleted:
        return "(deleted)"
    text = message.content or ""
    if message.type != "TEXT":
        text = f"[{message.type.lower()} {message.fileName or message.mediaUrl}] {text}".rstrip()
    return f"{text} (edited)" if message.editedAt else text
