"""A handle for one conversation."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Sequence

from msgspec import UNSET, UnsetType

from client.api.http_api import HttpApi
from client.attachment import Attachment
from client.errors import ClientError
from client.live_view import LiveView
from client.recovery import Recovery
from client.state.conversation_log import ConversationLog, LogChange
from client.state.draft import Draft
from client.state.updates import SendFailed, concerns
from client.update_feed import UpdateStream
from contract.models import Conversation, ConversationView, Member, Message, Role


class ConversationHandle:
    """One conversation of the signed-in user. `ChatClient.conversation` returns it.

    Every method takes the API's response into the view itself. Each may raise a subclass of ApiError,
    UnreachableError or SignInError, and UnknownConversationError where it needs the conversation's messages or view.
    """

    def __init__(self, conversation_id: str, api: HttpApi, view: LiveView, recovery: Recovery) -> None:
        self.id = conversation_id
        self._api = api
        self._view = view
        self._recovery = recovery

    def __repr__(self) -> str:
        return f"ConversationHandle({self.id!r})"

    # The view

    @property
    def view(self) -> ConversationView:
        """The conversation as the list shows it: name, participants, last message, unread count."""
        return self._view.inbox[self.id].view

    @property
    def messages(self) -> list[Message]:
        """The loaded messages, oldest first."""
        return self._log.messages

    @property
    def typing_user_ids(self) -> tuple[str, ...]:
        """The other users who type now, in the order in which they began."""
        return tuple(self._view.inbox[self.id].typing)

    def updates(self) -> UpdateStream:
        """Return the updates of this conversation from now on, for `async for`."""
        return self._view.feed.stream(lambda update: concerns(update, self.id))

    # Messages

    async def send(
        self, text: str | None = None, *, attachment: Attachment | None = None, reply_to: str | None = None
    ) -> Message:
        """Send a message; until it is stored it is a draft in `ChatClient.drafts`.

        Args:
            text: the content; the caption of an attachment.
            attachment: a file to show.
            reply_to: id of the message that this one replies to.

        Returns:
            The stored message. It is also reported as MessageAdded, in its order.

        Raises:
            ApiError, UnreachableError: sending failed. The draft remains; `resend` tries again and cannot store the
                message twice.
        """
        temp_id = uuid.uuid4().hex
        self._view.drafts[self.id, temp_id] = Draft(self.id, temp_id, text, attachment, reply_to)
        return await self.resend(temp_id)

    async def resend(self, temp_id: str) -> Message:
        """Send a draft again.

        Raises:
            KeyError: there is no such draft.
            ApiError, UnreachableError: sending failed again.
        """
        draft = self._view.drafts[self.id, temp_id]
        draft.error = None
        try:
            response = await self._api.send_message(
                self.id, draft.text, attachment=draft.attachment, reply_to=draft.reply_to, temp_id=temp_id
            )
        except ClientError as error:
            if draft.stored is not None:
                return draft.stored
            draft.error = error
            self._view.publish([SendFailed(self.id, temp_id, error)])
            raise
        self._view.drafts.pop((self.id, temp_id), None)
        if self.id in self._view.inbox:
            self._take(self._log, self._log.add_message(response.message, temp_id))
        else:
            self._recovery.fetch(self.id)
        return response.message

    async def history(self) -> list[Message]:
        """Load the newest page of messages and return all that are loaded, oldest first."""
        log = self._log
        generation = log.generation
        page = await self._api.history(self.id)
        log.add_older_page(page, generation)
        log.note_latest(page.latestSeq, page.latestChange)
        self._recovery.fill_gaps()
        return log.messages

    async def older(self) -> list[Message]:
        """Load the page before the oldest loaded message and return it, oldest first; empty at the beginning.

        A page without messages that has a next one, as where many messages are hidden from the user, is skipped.
        """
        log = self._log
        loaded, generation = log.messages, log.generation
        page = await self._api.history(self.id, before=loaded[0].timestamp if loaded else None)
        while not page.messages and page.nextCursor is not None:
            page = await self._api.history(self.id, cursor=page.nextCursor)
        return log.add_older_page(page, generation)

    async def edit(self, message_id: str, text: str) -> Message:
        """Replace the content of one of the user's own messages; return the message."""
        log = self._log
        response = await self._api.edit_message(self.id, message_id, text)
        self._take(log, log.apply_change(response.change, response.message))
        return response.message

    async def delete(self, message_id: str) -> Message:
        """Delete a message; return it without its content."""
        log = self._log
        response = await self._api.delete_message(self.id, message_id)
        self._take(log, log.apply_change(response.change, response.message))
        return response.message

    async def mark_read(self, up_to_seq: int | None = None) -> None:
        """Mark messages as read; does nothing where they already are.

        Args:
            up_to_seq: the highest sequence number to mark; every reported message if omitted.
        """
        entry = self._view.inbox[self.id]
        seq = entry.log.seq if up_to_seq is None else up_to_seq
        marked = entry.view.lastReadSeq >= seq and (up_to_seq is not None or entry.view.unreadCount == 0)
        if seq == 0 or marked:
            return
        response = await self._api.mark_read(self.id, seq=seq)
        self._view.publish(self._view.inbox.take_own_read_mark(self.id, response.lastReadSeq))

    async def typing(self, typing: bool = True) -> None:
        """Announce that the user types, at most every two seconds, or that the user has stopped."""
        now = asyncio.get_running_loop().time()
        if self._view.typing_announcements.due(self.id, typing=typing, now=now):
            await self._api.set_typing(self.id, typing)

    # Members of a group

    async def members(self) -> list[Member]:
        """Read the members with their roles and read marks (the first 100 of a large group)."""
        response = await self._api.conversation(self.id)
        self._recovery.take_conversation(response.conversation)
        return response.members

    async def update(
        self,
        *,
        name: str | UnsetType = UNSET,
        description: str | UnsetType | None = UNSET,
        avatar: str | UnsetType | None = UNSET,
    ) -> None:
        """Change a group's name, description or avatar; an omitted argument changes nothing, None clears."""
        response = await self._api.update_group(self.id, name=name, description=description, avatar=avatar)
        self._take_description(response.conversation)

    async def add_members(self, user_ids: Sequence[str]) -> None:
        """Add users to the group."""
        self._take_description((await self._api.add_members(self.id, user_ids)).conversation)

    async def remove_member(self, user_id: str) -> None:
        """Remove a user from the group."""
        self._take_description((await self._api.remove_member(self.id, user_id)).conversation)

    async def set_role(self, user_id: str, role: Role) -> None:
        """Make a member an admin, or an admin a member."""
        self._take_description((await self._api.set_role(self.id, user_id, role)).conversation)

    async def leave(self) -> None:
        """Leave the group."""
        await self._api.leave_group(self.id)
        self._view.publish(self._view.inbox.remove(self.id, self._view.user_id))

    @property
    def _log(self) -> ConversationLog:
        return self._view.inbox[self.id].log

    def _take(self, log: ConversationLog, changes: Iterable[LogChange]) -> None:
        self._view.take_log_changes(log, changes)
        self._recovery.fill_gaps()

    def _take_description(self, conversation: Conversation) -> None:
        self._view.publish(self._view.inbox.take_description(conversation))
        self._recovery.fill_gaps()
