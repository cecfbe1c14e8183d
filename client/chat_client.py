"""The chat as one signed-in user has it: socket and API behind it, one view in front of it."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from appsync_events import Backoff, ConnectionState, EventsClient, Gap, GapReason

from client.api.http_api import Api
from client.api.session import Session, user_token
from client.api.targets import Target
from client.call_client import Calling
from client.errors import ClientError, Failure
from client.state.conversation_log import ConversationLog
from client.state.inbox import Inbox
from client.state.inbox_entry import decode, plain
from client.state.recovery import Recovery
from client.state.updates import Link, LinkChanged, SendFailed, Update
from contract import channels, events
from contract.calls.events import CallEvent
from contract.models import ConversationView, Message
from contract.requests import SendMessage

_log = logging.getLogger(__name__)
TYPING_INTERVAL_SECONDS: Final = 2.0
"""A user who goes on typing is announced this often; a notice holds for three seconds."""


@dataclass
class Draft:
    """A message on its way, or one that failed and can be sent again: same `temp_id`, so it is stored once."""

    request: SendMessage
    temp_id: str
    error: Failure | None = None
    stored: Message | None = None


class ChatClient:
    """One user's chat.

    Args:
        target: the environment.
        session: who is signed in.
        http: the connection pool to use; stays the caller's.
        on_update: called with each change of what the user sees, in order.
        backoff: waits between tries of a recovery.
    """

    def __init__(
        self,
        target: Target,
        session: Session,
        http: aiohttp.ClientSession,
        *,
        on_update: Callable[[Update], None],
        backoff: Backoff | None = None,
        socket_backoff: Backoff | None = None,
    ) -> None:
        self.user_id = session.user_id
        self.api = Api(target, session, http)
        self.inbox = Inbox(session.user_id)
        self.events = EventsClient(
            target.events, user_token(session), http=http, on_state=self._on_state, backoff=socket_backoff
        )
        self.link = Link.OFFLINE
        self.drafts: dict[tuple[str, str], Draft] = {}
        self._on_update = on_update
        self.calling = Calling(session.user_id, self.api, self._tell)
        self._recovery = Recovery(
            self.api,
            self.inbox,
            self.calling,
            apply=self._apply,
            tell=self._tell,
            backoff=backoff or Backoff(base=0.3, cap=5.0),
        )
        self._subscribed = False
        self._typing_told: dict[str, float] = {}
        self._expiry: asyncio.TimerHandle | None = None
        self._current = asyncio.Event()
        self._refusal: Failure | None = None

    async def __aenter__(self) -> ChatClient:
        try:
            await self.start()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Connect, subscribe to the user's two channels and read the conversations.

        Raises:
            ConnectionRefusedByServerError, SubscriptionRefusedError, SignedOutError: these credentials are no good.
        """
        self.events.start()
        for namespace in (channels.CHATS, channels.USERS):
            await self.events.subscribe(
                channels.channel(namespace, self.user_id),
                self._on_event,
                on_gap=self._on_gap,
                on_refused=self._on_refused,
            )
        await self.events.connected()
        self._subscribed = True
        self._begin_recovery()
        await self.current()

    async def close(self) -> None:
        """End the connection and everything under way."""
        if self._expiry is not None:
            self._expiry.cancel()
        self.calling.close()
        await self._recovery.close()
        await self.events.close()

    async def current(self) -> None:
        """Wait until the view is current: connected, and the list as new as the subscriptions.

        Raises:
            ConnectionRefusedByServerError, SubscriptionRefusedError, SignedOutError: it never will be.
        """
        await self._current.wait()
        if self._refusal is not None:
            raise self._refusal

    # What a user does

    async def open(self, conversation_id: str) -> list[Message]:
        """Load the newest page of a conversation and return what is loaded, oldest first."""
        log = self.inbox[conversation_id].log
        generation = log.generation
        page = await self.api.history(conversation_id)
        log.older(page, generation)
        log.note(page.latestSeq, page.latestChange)
        self._recovery.fill_gaps()
        return log.messages

    async def older(self, conversation_id: str) -> list[Message]:
        """Load the page before the oldest loaded message and return it, oldest first; empty at the beginning."""
        log = self.inbox[conversation_id].log
        loaded, generation = log.messages, log.generation
        before = loaded[0].timestamp if loaded else None
        return log.older(await self.api.history(conversation_id, before=before), generation)

    async def send(self, conversation_id: str, content: str | None = None, **fields: Any) -> Message:
        """Send a message; until it is stored it stands in `drafts`.

        Args:
            conversation_id: where to.
            content: the text, or the caption of a medium.
            fields: further fields of the request, as `contract.requests.SendMessage` names them.

        Returns:
            The stored message. It is handed out through `on_update` as well, in its place.

        Raises:
            ApiError, UnreachableError: it failed; the draft stays and `resend` tries again, without ever doubling it.
        """
        temp_id = uuid.uuid4().hex
        request = SendMessage(conversationId=conversation_id, content=content, tempId=temp_id, **fields)
        self.drafts[conversation_id, temp_id] = Draft(request, temp_id)
        return await self.resend(conversation_id, temp_id)

    async def resend(self, conversation_id: str, temp_id: str) -> Message:
        """Send a draft (again).

        Raises:
            ApiError, UnreachableError: it failed (again).
        """
        draft = self.drafts[conversation_id, temp_id]
        draft.error = None
        try:
            answer = await self.api.send_message(draft.request)
        except ClientError as error:
            if draft.stored is not None:
                return draft.stored
            draft.error = error
            self._tell([SendFailed(conversation_id, temp_id, error)])
            raise
        self.drafts.pop((conversation_id, temp_id), None)
        if conversation_id in self.inbox:
            log = self.inbox[conversation_id].log
            self._progressed(log, log.sent(answer.message, temp_id))
        else:
            self._recovery.fetch(conversation_id)
        return answer.message

    async def edit(self, conversation_id: str, message_id: str, content: str) -> Message:
        """Edit an own message."""
        answer = await self.api.edit_message(conversation_id, message_id, content)
        log = self.inbox[conversation_id].log
        self._progressed(log, log.changed(answer.change, answer.message))
        return answer.message

    async def delete(self, conversation_id: str, message_id: str) -> Message:
        """Delete a message."""
        answer = await self.api.delete_message(conversation_id, message_id)
        log = self.inbox[conversation_id].log
        self._progressed(log, log.changed(answer.change, answer.message))
        return answer.message

    async def mark_read(self, conversation_id: str) -> None:
        """Mark everything that was handed out as read; does nothing where it is already."""
        entry = self.inbox[conversation_id]
        if entry.log.seq == 0 or (entry.view.lastReadSeq >= entry.log.seq and entry.view.unreadCount == 0):
            return
        answer = await self.api.mark_read(conversation_id, seq=entry.log.seq)
        self._tell(self.inbox.own_read(conversation_id, answer.lastReadSeq, answer.unreadCount))

    async def typing(self, conversation_id: str, typing: bool = True) -> None:
        """Announce that the user types, at most every two seconds, or that the user stopped."""
        now = asyncio.get_running_loop().time()
        if typing:
            if now - self._typing_told.get(conversation_id, -TYPING_INTERVAL_SECONDS) < TYPING_INTERVAL_SECONDS:
                return
            self._typing_told[conversation_id] = now
        elif self._typing_told.pop(conversation_id, None) is None:
            return
        await self.api.set_typing(conversation_id, typing)

    def take(self, view: ConversationView) -> None:
        """Take a conversation from an answer of the API (one just opened, or looked up) into the view."""
        self._tell(self.inbox.listed([view]))
        self._recovery.fill_gaps()

    # What comes in

    def _on_event(self, document: Any) -> None:
        event = decode(document)
        if event is None:
            _log.info("an event of an unknown kind was ignored")
            return
        self._recovery.take(event)

    def _apply(self, event: events.Event) -> None:
        if isinstance(event, CallEvent):
            self.calling.apply(event)
            return
        if isinstance(event, events.MessageSent) and event.data.tempId is not None:
            draft = self.drafts.pop((event.data.conversationId, event.data.tempId), None)
            if draft is not None:
                # The answer to the send may be lost, but this event says that it is stored.
                draft.stored = plain(event.data)
        self._tell(self.inbox.apply(event, asyncio.get_running_loop().time()))

    def _progressed(self, log: ConversationLog, changes: Iterable[Any]) -> None:
        if log.conversation_id in self.inbox:
            self._tell(self.inbox.progressed(log.conversation_id, changes))
            self._recovery.fill_gaps()

    def _tell(self, updates: Iterable[Update]) -> None:
        for update in updates:
            try:
                self._on_update(update)
            except Exception:
                _log.exception("the application failed on an update")
        self._schedule_expiry()

    def _schedule_expiry(self) -> None:
        due = self.inbox.next_expiry()
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if due is not None:
            self._expiry = asyncio.get_running_loop().call_at(due, self._expire, due)

    def _expire(self, due: float) -> None:
        self._tell(self.inbox.expire(max(due, asyncio.get_running_loop().time())))

    # Staying complete

    def _on_state(self, state: ConnectionState, cause: Failure | None) -> None:
        if state is ConnectionState.CONNECTED:
            if self._subscribed:
                self._begin_recovery()
            return
        self._current.clear()
        if state is ConnectionState.CLOSED:
            return
        self._recovery.pause()
        if state is ConnectionState.REFUSED and cause is not None:
            self._on_refused(cause)
        elif state is not ConnectionState.CONNECTING or self.link is not Link.OFFLINE:
            self._enter(Link.OFFLINE, cause)

    def _on_gap(self, gap: Gap) -> None:
        if gap.reason is not GapReason.RECONNECTED:  # for that the state speaks, once for both channels
            self._begin_recovery()

    def _on_refused(self, cause: Failure) -> None:
        self._refusal = cause
        self._current.set()
        self._enter(Link.SIGNED_OUT, cause)

    def _enter(self, link: Link, cause: Failure | None = None) -> None:
        if link is not self.link:
            self.link = link
            self._tell([LinkChanged(link, cause)])

    def _begin_recovery(self) -> None:
        self._enter(Link.RECOVERING)
        self._recovery.begin(self._recovered)

    def _recovered(self) -> None:
        self._current.set()
        self._enter(Link.CURRENT)
