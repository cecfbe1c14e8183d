"""The chat as one signed-in user has it: sockets and API behind it, one view in front of it.

The order that leaves no hole: the subscriptions are acknowledged first, then the list (and with it how far every
conversation has come) is read, and only then the events that arrived meanwhile are applied; what the numbers show to
be missing is asked for conversation by conversation.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from client.api import Api
from client.backoff import Backoff
from client.conversation import ConversationLog
from client.errors import ApiError, ClientError, ForbiddenError, NotFoundError, UnreachableError
from client.inbox import Inbox, decode, plain
from client.session import Session
from client.socket import EventsSocket, SocketState
from client.targets import Target
from client.updates import Link, LinkChanged, SendFailed, Update
from handlers.core.contract import channels, events
from handlers.core.contract.limits import CONVERSATIONS_PAGE_MAX
from handlers.core.contract.models import ConversationView, Message
from handlers.core.contract.requests import SendMessage
from handlers.core.contract.responses import HistoryPage

_log = logging.getLogger(__name__)
TYPING_INTERVAL_SECONDS: Final = 2.0
"""A user who goes on typing is announced this often; a notice holds for three seconds."""
_SETTLE_SECONDS: Final = 0.15
_RECOVERIES_AT_ONCE: Final = 4


@dataclass
class Draft:
    """A message on its way, or one that failed and can be sent again: same `temp_id`, so it is stored once."""

    request: SendMessage
    temp_id: str
    error: ClientError | None = None
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
        self.socket = EventsSocket(target, session, http, on_state=self._on_state, backoff=socket_backoff)
        self.link = Link.OFFLINE
        self.drafts: dict[tuple[str, str], Draft] = {}
        self._on_update = on_update
        self._backoff = backoff or Backoff(base=0.3, cap=5.0)
        self._held: list[events.Event] | None = []
        self._first = True
        self._tasks: set[asyncio.Task[None]] = set()
        self._recovering: asyncio.Task[None] | None = None
        self._filling: dict[str, asyncio.Task[None]] = {}
        self._fetching: set[str] = set()
        self._at_once = asyncio.Semaphore(_RECOVERIES_AT_ONCE)
        self._typing_told: dict[str, float] = {}
        self._expiry: asyncio.TimerHandle | None = None
        self._current = asyncio.Event()
        self._refusal: ClientError | None = None

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
        self.socket.start()
        for namespace in (channels.CHATS, channels.USERS):
            await self.socket.subscribe(
                channels.channel(namespace, self.user_id),
                self._on_event,
                on_lost_event=self._begin_recovery,
                on_refused=self._on_refused,
            )
        await self.socket.connected()
        self._begin_recovery()
        await self.current()

    async def close(self) -> None:
        """End the connection and everything under way."""
        if self._expiry is not None:
            self._expiry.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.socket.close()

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
        self._fill_gaps()
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
            fields: further fields of the request, as `handlers.core.contract.requests.SendMessage` names them.

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
            self._fetch(conversation_id)
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
        self._fill_gaps()

    # What comes in

    def _on_event(self, document: Any) -> None:
        event = decode(document)
        if event is None:
            _log.info("an event of an unknown kind was ignored")
            return
        if self._held is not None:
            self._held.append(event)
            return
        self._apply(event)
        self._fill_gaps()

    def _apply(self, event: events.Event) -> None:
        if isinstance(event, events.MessageSent) and event.data.tempId is not None:
            draft = self.drafts.pop((event.data.conversationId, event.data.tempId), None)
            if draft is not None:
                # The answer to the send may be lost, but this event says that it is stored.
                draft.stored = plain(event.data)
        self._tell(self.inbox.apply(event, asyncio.get_running_loop().time()))

    def _progressed(self, log: ConversationLog, changes: Iterable[Any]) -> None:
        if log.conversation_id in self.inbox:
            self._tell(self.inbox.progressed(log.conversation_id, changes))
            self._fill_gaps()

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

    def _on_state(self, state: SocketState, cause: ClientError | None) -> None:
        if state is SocketState.CONNECTED:
            if not self._first:
                self._begin_recovery()
            return
        self._current.clear()
        if state is SocketState.CLOSED:
            return
        if self._held is None:
            self._held = []
        if self._recovering is not None:
            self._recovering.cancel()
        if state is SocketState.REFUSED and cause is not None:
            self._on_refused(cause)
        elif state is not SocketState.CONNECTING or self.link is not Link.OFFLINE:
            self._enter(Link.OFFLINE, cause)

    def _on_refused(self, cause: ClientError) -> None:
        self._refusal = cause
        self._current.set()
        self._enter(Link.SIGNED_OUT, cause)

    def _enter(self, link: Link, cause: ClientError | None = None) -> None:
        if link is not self.link:
            self.link = link
            self._tell([LinkChanged(link, cause)])

    def _begin_recovery(self) -> None:
        if self._held is None:
            self._held = []
        if self._recovering is not None:
            self._recovering.cancel()
        self._recovering = self._spawn(self._recover(), "recover")

    async def _recover(self) -> None:
        self._enter(Link.RECOVERING)
        attempt = 0
        while True:
            try:
                views = await self._all_conversations()
                updates = self.inbox.listed(views, first=self._first)
                listed = {view.conversationId for view in views}
                vanished = [view.conversationId for view in self.inbox.conversations()]
                self._tell(updates)
                for conversation_id in vanished:
                    if conversation_id not in listed:
                        await self._look(conversation_id)
                if self._first:
                    self.inbox.blocked.update((await self.api.blocks()).userIds)
                break
            except (ApiError, UnreachableError) as error:
                _log.info("the recovery is tried again: %s", error)
                await asyncio.sleep(self._backoff.delay(attempt))
                attempt += 1
        self._first = False
        held, self._held = self._held or [], None
        for event in held:
            self._apply(event)
        self._fill_gaps()
        self._current.set()
        self._enter(Link.CURRENT)

    async def _all_conversations(self) -> list[ConversationView]:
        views: list[ConversationView] = []
        cursor: str | None = None
        while True:
            page = await self.api.conversations(limit=CONVERSATIONS_PAGE_MAX, cursor=cursor)
            views += page.conversations
            cursor = page.nextCursor
            if cursor is None:
                return views

    async def _look(self, conversation_id: str) -> None:
        """Ask for one conversation and take what the API says of it, also that it is no longer the user's."""
        try:
            view = (await self.api.conversation(conversation_id)).conversation
        except (ForbiddenError, NotFoundError):
            self._tell(self.inbox.gone(conversation_id))
        else:
            self._tell(self.inbox.listed([view]))

    def _fill_gaps(self) -> None:
        if self._held is not None:
            return
        for conversation_id in list(self.inbox.unknown):
            self._fetch(conversation_id)
        for log in self.inbox.behind():
            if log.conversation_id not in self._filling:
                task = self._spawn(self._fill(log), f"fill {log.conversation_id}")
                self._filling[log.conversation_id] = task
                task.add_done_callback(lambda _, id=log.conversation_id: self._filled(id))  # type: ignore[misc]

    def _filled(self, conversation_id: str) -> None:
        del self._filling[conversation_id]

    async def _fill(self, log: ConversationLog) -> None:
        """Ask for what a log misses until it misses nothing."""
        # Events of concurrent senders overtake each other by milliseconds; those gaps close by themselves.
        await asyncio.sleep(_SETTLE_SECONDS)
        attempt = 0
        while (gap := log.gap) is not None and log.conversation_id in self.inbox:
            try:
                page: HistoryPage | None = None
                newest: HistoryPage | None = None
                async with self._at_once:
                    page = await self.api.history(
                        log.conversation_id, after_seq=gap.after_seq, after_change=gap.after_change
                    )
                    if page.reload:
                        newest = await self.api.history(log.conversation_id)
            except (ForbiddenError, NotFoundError):
                self._tell(self.inbox.gone(log.conversation_id))
                return
            except (ApiError, UnreachableError) as error:
                _log.info("a gap of %s is asked for again: %s", log.conversation_id, error)
                page = None
            if page is not None and log.conversation_id in self.inbox:
                changes = log.filled(gap, page) if newest is None else log.restart(newest)
                self._tell(self.inbox.progressed(log.conversation_id, changes))
            if log.gap == gap:
                await asyncio.sleep(self._backoff.delay(attempt))
                attempt += 1

    def _fetch(self, conversation_id: str) -> None:
        if conversation_id not in self._fetching:
            self._fetching.add(conversation_id)
            self._spawn(self._fetch_until_known(conversation_id), f"fetch {conversation_id}")

    async def _fetch_until_known(self, conversation_id: str) -> None:
        attempt = 0
        try:
            while True:
                self.inbox.unknown.discard(conversation_id)
                try:
                    async with self._at_once:
                        await self._look(conversation_id)
                    break
                except (ApiError, UnreachableError) as error:
                    _log.info("conversation %s is asked for again: %s", conversation_id, error)
                    await asyncio.sleep(self._backoff.delay(attempt))
                    attempt += 1
        finally:
            self._fetching.discard(conversation_id)
        self._fill_gaps()

    def _spawn(self, work: Any, name: str) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("%s failed", task.get_name(), exc_info=task.exception())
